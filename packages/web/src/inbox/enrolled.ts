/** The inbox of a browser that is a device: follows it, and carries out what the person does with its messages. */
import type { Device, DeviceChange } from '@sealpost/client';
import type { MessageId } from '@sealpost/protocol';
import type { AttachmentState, EnrolledState } from './state.ts';
import { wordsOf, wordsOfCode } from './words.ts';

export interface Enrolled {
  /** Shows what is there and goes online. */
  begin(): Promise<void>;
  goOnline(): void;
  goOffline(): Promise<void>;
  toggle(message: MessageId): Promise<void>;
  acknowledge(message: MessageId): Promise<void>;
  loadAttachment(message: MessageId, index: number): Promise<void>;
  /** Nothing is shown any more. */
  close(): Promise<void>;
}

/** Shown without being asked for, once its bytes agree with the message: it opens to pixels and runs nothing. */
export const SHOWN_INLINE = 'image/png';
/** How soon to look again whether the receipts that wait have gone, while online. */
const LOOK_AGAIN = 400;

export function createEnrolled(device: Device, show: (state: EnrolledState) => void): Enrolled {
  let closed = false;
  let looking: ReturnType<typeof setTimeout> | undefined;
  /** What the gateway said last; a refusal names it. */
  let lastCode: string | undefined;
  let state: EnrolledState = {
    kind: 'enrolled',
    identity: device.identity,
    rootFingerprint: device.rootFingerprint,
    link: 'connecting',
    trouble: undefined,
    messages: [],
    opened: undefined,
    waiting: 0,
    problem: undefined,
  };
  const set = (change: Partial<EnrolledState>) => {
    if (closed) return;
    state = { ...state, ...change };
    show(state);
  };
  const refresh = async () => {
    if (closed) return;
    const messages = await device.inbox();
    set({ messages, waiting: await device.waitingReceipts() });
    clearTimeout(looking);
    if (state.waiting > 0 && device.online) looking = setTimeout(look, LOOK_AGAIN);
  };
  const fail = (error: unknown) => set({ problem: wordsOf(error) });
  const look = () => void refresh().catch(fail);

  const attached = (message: MessageId, index: number, attachment: AttachmentState) => {
    if (state.opened?.message !== message) return;
    set({ opened: { ...state.opened, attachments: new Map(state.opened.attachments).set(index, attachment) } });
  };
  const loadAttachment = async (message: MessageId, index: number) => {
    attached(message, index, { kind: 'loading' });
    try {
      attached(message, index, { kind: 'ready', bytes: new Uint8Array(await device.attachment(message, index)) });
    } catch (error) {
      attached(message, index, { kind: 'failed', problem: wordsOf(error) });
    }
  };

  const follow = ({ kind, code }: DeviceChange) => {
    if (kind === 'online') {
      set({ link: 'online', trouble: undefined });
    } else if (kind === 'offline') {
      if (state.link === 'online') set({ link: 'connecting' });
    } else if (kind === 'problem' && code === 'ERR_CLIENT_REFUSED') {
      set({ link: 'refused', trouble: wordsOfCode(lastCode ?? code) });
    } else if (kind === 'problem' && code !== undefined) {
      lastCode = code;
      if (state.link === 'connecting' || state.link === 'away') set({ link: 'away', trouble: wordsOfCode(code) });
    }
    look();
  };

  const goOnline = () => {
    set({ link: 'connecting', trouble: undefined, problem: undefined });
    device.connect().catch((error: unknown) => {
      // While it keeps trying the device tells; what is left is a device that may not, such as one that has expired.
      if (state.link === 'connecting') set({ link: 'refused', trouble: wordsOf(error) });
    });
  };

  return {
    async begin() {
      device.on(follow);
      await refresh();
      goOnline();
    },
    goOnline,
    async goOffline() {
      set({ link: 'offline', trouble: undefined, problem: undefined });
      await device.disconnect();
    },
    async toggle(message) {
      if (state.opened?.message === message) return set({ opened: undefined });
      try {
        const { attachments } = await device.open(message);
        set({ opened: { message, readers: undefined, attachments: new Map() }, problem: undefined });
        const readers = await device.readers(message);
        if (state.opened?.message === message) set({ opened: { ...state.opened, readers } });
        for (const [index, { mediaType }] of attachments.entries())
          if (mediaType === SHOWN_INLINE) await loadAttachment(message, index);
      } catch (error) {
        fail(error);
      }
    },
    async acknowledge(message) {
      await device.acknowledge(message).catch(fail);
    },
    loadAttachment,
    async close() {
      closed = true;
      clearTimeout(looking);
      await device.close();
    },
  };
}
