/**
 * The wall between the meter and the player: whatever fails inside is swallowed, counted and kept
 * for `debug()`; when it fails again and again the meter switches itself off.
 */

/** A meter that failed this often measures nothing worth having, and may cost the player time. */
const ERRORS_MAX = 20;

export class Guard {
  readonly #onOff: () => void;
  errors = 0;
  last: string | null = null;
  off = false;

  constructor(onOff: () => void) {
    this.#onOff = onOff;
  }

  /** Runs `work`; `undefined` when it failed or the meter is off. */
  run<T>(work: () => T): T | undefined {
    if (this.off) return undefined;
    try {
      return work();
    } catch (error) {
      this.failed(error);
      return undefined;
    }
  }

  failed(error: unknown): void {
    this.errors += 1;
    try {
      this.last = String(error).slice(0, 200);
    } catch {
      // Even an error's text can throw.
    }
    if (this.errors >= ERRORS_MAX) this.switchOff();
  }

  switchOff(): void {
    if (this.off) return;
    this.off = true;
    try {
      this.#onOff();
    } catch {
      // There is nothing left to protect.
    }
  }
}
