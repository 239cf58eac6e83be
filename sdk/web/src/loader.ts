/**
 * Meters hls.js's loaders. A loader class goes in, a subclass comes out that reports every request
 * (playlist, segment, key, each retry) exactly once. hls.js's own events would miss the segment in
 * flight when the page ends, aborted playlists and failed attempts.
 */
import type { Meter, RequestReport } from './meter';

type Callbacks = Record<string, ((...args: any[]) => void) | undefined>;

export interface Loader {
  stats: { loaded: number } | null;
  load(context: any, config: any, callbacks: any): void;
  abort(): void;
  destroy(): void;
}

export type LoaderClass = new (config: any) => Loader;

/** A class like `Base` that reports to `meter`, and puts the CDN of each finished segment into `cdnOfFrag`. */
export function meteredLoader(Base: LoaderClass, meter: Meter, cdnOfFrag: WeakMap<object, string>): LoaderClass {
  const { guard } = meter;
  return class extends Base {
    #report: RequestReport | null = null;

    override load(context: any, config: any, callbacks: Callbacks): void {
      guard.run(() => {
        this.#watchRetries(context);
        this.#open(context);
      });
      super.load(context, config, guard.off ? callbacks : this.#wrapped(callbacks, context));
    }

    override abort(): void {
      this.#cut();
      super.abort();
    }

    override destroy(): void {
      // hls.js destroys a loader after success too; then nothing is open any more.
      this.#cut();
      super.destroy();
    }

    #open(context: any): void {
      const stats = this.stats;
      this.#report = meter.request(context.url, { media: context.frag?.type === 'main', loaded: () => stats?.loaded ?? 0 });
    }

    #cut(): void {
      guard.run(() => this.#report?.abort());
      this.#report = null;
    }

    #settle(details: any, loaded: number | string, status: number, url?: string): void {
      this.#report?.done(loaded, status, url, contentLength(details));
    }

    #wrapped(callbacks: Callbacks, context: any): Callbacks {
      const before = (name: string, first: (...args: any[]) => void) => (...args: any[]) => {
        guard.run(() => first(...args));
        this.#report = null;
        callbacks[name]?.(...args);
      };
      return {
        ...callbacks,
        onSuccess: before('onSuccess', (response, stats, _context, details) => {
          const { data, code, url } = response;
          // A text's `loaded` counts characters; the bytes are in the text.
          this.#settle(details, typeof data === 'string' ? data : stats.loaded, code ?? 200, url);
          if (this.#report?.cdn && context.frag) cdnOfFrag.set(context.frag, this.#report.cdn);
        }),
        onError: before('onError', (error, _context, details, stats) => {
          // An error status is a whole response; no status is a broken one.
          if (error.code > 0) this.#settle(details, stats?.loaded ?? 0, error.code);
          else this.#report?.abort(stats?.loaded);
        }),
        onTimeout: before('onTimeout', (stats) => this.#report?.abort(stats?.loaded)),
      };
    }

    /** A loader that retries by itself starts its counts anew each time: settle the attempt before. */
    #watchRetries(context: any): void {
      const retrying = [this, (this as any).loader].find((it) => typeof it?.retry === 'function');
      if (!retrying) return;
      const retry = retrying.retry;
      retrying.retry = (...args: any[]) => {
        guard.run(() => {
          const details = retrying.getNetworkDetails?.();
          const whole = details?.readyState === 4 && details.status > 0;
          if (whole) this.#settle(details, this.stats?.loaded ?? 0, details.status);
          else this.#report?.abort();
          this.#open(context);
        });
        return retry.apply(retrying, args);
      };
    }
  };
}

/** The length on the wire, if the browser shows it. Asking an XHR for a header it hides would write to the console. */
function contentLength(details: any): number | null {
  const headers: string | undefined = details?.getAllResponseHeaders?.();
  const value = headers !== undefined ? /^content-length:\s*(\d+)\s*$/im.exec(headers)?.[1] : details?.headers?.get?.('content-length');
  return value ? Number(value) : null;
}
