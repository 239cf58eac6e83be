/** The wire's types under short names, from the generated contract. Nothing here exists at run time. */
import type { components } from './generated';

type Schemas = components['schemas'];

export type Event = Schemas['Event'];
export type Answer = Schemas['Answer'];
export type Counters = Schemas['Counters'];
export type LastSegment = Schemas['LastSegment'];
export type State = Schemas['State'];
export type StallKind = Schemas['StallKind'];
export type Media = Schemas['Media'];
export type EndReason = Schemas['EndReason'];
export type SwitchReason = Schemas['SwitchReason'];

/** What every event carries; the session fills it in. */
export type Head = 'session_id' | 'seq' | 'at_ms' | 'user_id' | 'programme_id' | 'region';

/** One event type's own fields. */
export type Fields<T extends Event['type']> = Omit<Extract<Event, { type: T }>, Head | 'type'>;
