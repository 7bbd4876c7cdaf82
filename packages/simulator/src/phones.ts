/**
 * People's phones and what waits for them at a carrier. A phone that is off the network keeps its messages waiting; when
 * it comes back they appear, in order, and the carrier that holds them is told. Time is a parameter, so that messages
 * expire when the simulated clock says so.
 */
import type { Carrier } from './faults.ts';

export type Channel = 'rcs' | 'sms';
export type PhoneEvent = 'delivered' | 'read' | 'expired';

/** A message as a carrier hands it over. */
export interface CarriedMessage {
  readonly carrier: Carrier;
  readonly id: string;
  readonly number: string;
  readonly text: string;
  readonly url: string | undefined;
  readonly expires: number | undefined;
  /** Tells the carrier what became of it. */
  readonly happened: (event: PhoneEvent, at: number) => void;
}

/** What a person sees. */
export interface ShownMessage {
  readonly id: string;
  readonly channel: Channel;
  readonly text: string;
  readonly url: string | undefined;
  /** When it appeared, as ISO 8601. */
  readonly at: string;
  readonly status: 'delivered' | 'read';
}

export interface PhoneState {
  /** Whether the number is registered for RCS at all. */
  readonly rcs: boolean;
  readonly online: boolean;
  /** Whether its owner lets senders know what was read. */
  readonly readReceipts: boolean;
}

export interface PhoneView extends PhoneState {
  readonly number: string;
  readonly messages: readonly ShownMessage[];
}

export interface Phones {
  list(): readonly PhoneView[];
  /** A number nobody has used yet is a phone with RCS, online, showing nothing. */
  view(number: string): PhoneView;
  set(number: string, change: Partial<PhoneState>): PhoneView;
  accept(message: CarriedMessage): void;
  /** Takes back a message that is still waiting; says whether it was. */
  revoke(carrier: Carrier, id: string): boolean;
  /** The owner opens the phone and reads everything on it. */
  read(number: string): PhoneView;
  /** How many messages a carrier holds for it. */
  waiting(number: string): number;
  /** Drops waiting messages whose time has passed. */
  expire(): void;
}

interface Phone {
  state: PhoneState;
  waiting: CarriedMessage[];
  shown: { message: CarriedMessage; at: number; read: boolean }[];
}

/** `changed` is called after whatever a person or a carrier could notice. */
export function createPhones(now: () => number, changed: () => void = () => undefined): Phones {
  const phones = new Map<string, Phone>();

  function phone(number: string): Phone {
    const known = phones.get(number);
    if (known !== undefined) return known;
    const fresh: Phone = { state: { rcs: true, online: true, readReceipts: true }, waiting: [], shown: [] };
    phones.set(number, fresh);
    return fresh;
  }

  function flush(holder: Phone): void {
    expireAt(holder);
    if (!holder.state.online) return;
    for (const message of holder.waiting.splice(0)) {
      holder.shown.push({ message, at: now(), read: false });
      message.happened('delivered', now());
    }
  }

  function expireAt(holder: Phone): void {
    const gone = holder.waiting.filter(({ expires }) => expires !== undefined && expires <= now());
    holder.waiting = holder.waiting.filter((message) => !gone.includes(message));
    for (const message of gone) message.happened('expired', now());
    if (gone.length > 0) changed();
  }

  function view(number: string): PhoneView {
    const { state, shown } = phone(number);
    return { number, ...state, messages: shown.map(show) };
  }

  return {
    list: () => [...phones.keys()].map(view),
    view,
    set(number, change) {
      const holder = phone(number);
      holder.state = { ...holder.state, ...change };
      flush(holder);
      changed();
      return view(number);
    },
    accept(message) {
      const holder = phone(message.number);
      holder.waiting.push(message);
      flush(holder);
      changed();
    },
    revoke(carrier, id) {
      for (const holder of phones.values()) {
        const index = holder.waiting.findIndex((message) => message.carrier === carrier && message.id === id);
        if (index < 0) continue;
        holder.waiting.splice(index, 1);
        changed();
        return true;
      }
      return false;
    },
    read(number) {
      const holder = phone(number);
      for (const entry of holder.shown.filter(({ read }) => !read)) {
        entry.read = true;
        if (holder.state.readReceipts) entry.message.happened('read', now());
      }
      changed();
      return view(number);
    },
    waiting: (number) => phones.get(number)?.waiting.length ?? 0,
    expire() {
      for (const holder of phones.values()) expireAt(holder);
    },
  };
}

function show({ message, at, read }: Phone['shown'][number]): ShownMessage {
  const { id, text, url, carrier } = message;
  const channel = carrier === 'rbm' ? 'rcs' : 'sms';
  return { id, channel, text, url, at: new Date(at).toISOString(), status: read ? 'read' : 'delivered' };
}
