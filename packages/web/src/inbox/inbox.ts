/**
 * The inbox behind its page: one value to show, a way to be told when it changes, and what the person can do. It knows a
 * device and no DOM, so that it runs the same in a test. Everything goes through `@sealpost/client`.
 */
import { type ClientSurroundings, type Device, type DeviceStore, enroll, openDevice } from '@sealpost/client';
import { type MessageId, SealpostError } from '@sealpost/protocol';
import { createEnrolled, type Enrolled } from './enrolled.ts';
import type { InboxState } from './state.ts';
import { wordsOf } from './words.ts';

export interface InboxDeps {
  /** Whether the browser hands out keys and storage to this page. */
  readonly secure: boolean;
  /** Address of control, as this page's origin answers it. */
  readonly control: string;
  readonly surroundings: ClientSurroundings;
  openStore(): Promise<DeviceStore>;
  eraseStore(): Promise<void>;
  /** The device over its store; a test gives one with a socket of its own. */
  openDevice?(store: DeviceStore): Promise<Device>;
}

export interface Inbox {
  /** The same value until something changes. */
  state(): InboxState;
  /** Answers how to stop. */
  subscribe(listener: () => void): () => void;
  /** Looks whether this browser is a device already; `code` is offered if it is not. Also how to try again. */
  start(code?: string): Promise<void>;
  /** Another code came, by a link that was opened here. */
  offer(code: string): void;
  enroll(code: string): Promise<void>;
  goOnline(): void;
  goOffline(): Promise<void>;
  /** Opens a message and what hangs on it; opening it again closes it. */
  toggle(message: MessageId): Promise<void>;
  acknowledge(message: MessageId): Promise<void>;
  loadAttachment(message: MessageId, index: number): Promise<void>;
  /** Removes the device from this browser for good, with its keys and what it received. */
  erase(): Promise<void>;
}

/** What the person sees listed as the name of this device. */
const DEVICE_NAME = 'browser';
/** The browser lets go of a store a moment after its page has, closing or reloading. */
const TRIES = 10;
const BETWEEN_TRIES = 150;

export function createInbox(deps: InboxDeps): Inbox {
  const { surroundings } = deps;
  const listeners = new Set<() => void>();
  let state: InboxState = { kind: 'starting' };
  let offered: string | undefined;
  let store: DeviceStore | undefined;
  let enrolled: Enrolled | undefined;

  const show = (next: InboxState) => {
    state = next;
    for (const listener of [...listeners]) listener();
  };
  const open = deps.openDevice ?? ((kept: DeviceStore) => openDevice({ store: kept, surroundings }));
  const beDevice = async (kept: DeviceStore) => {
    const device = await open(kept);
    enrolled = createEnrolled(device, show);
    await enrolled.begin();
  };
  const failed = async (error: unknown) => {
    await store?.close();
    store = undefined;
    const code = error instanceof SealpostError ? error.code : undefined;
    show(code === 'ERR_CLIENT_STORE_BUSY' ? { kind: 'busy' } : { kind: 'broken', problem: wordsOf(error) });
  };

  const start = async (code = offered): Promise<void> => {
    offered = code;
    if (!deps.secure) return show({ kind: 'insecure' });
    show({ kind: 'starting' });
    try {
      store = await patiently(deps.openStore);
      await beDevice(store);
    } catch (error) {
      if (store === undefined || !isCode(error, 'ERR_CLIENT_NOT_ENROLLED')) return failed(error);
      show({ kind: 'stranger', code: offered, problem: undefined });
    }
  };

  return {
    state: () => state,
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    start,
    offer(code) {
      offered = code;
      if (state.kind === 'stranger') show({ ...state, code, problem: undefined });
    },
    async enroll(code) {
      if (store === undefined || state.kind !== 'stranger') return;
      show({ kind: 'enrolling' });
      try {
        await enroll({ control: deps.control, code, name: DEVICE_NAME, store, surroundings });
        offered = undefined;
        await beDevice(store);
      } catch (error) {
        // A code that could not be handed in is still good; one that was refused is not offered again.
        const again = error instanceof SealpostError && error.kind === 'unavailable';
        offered = again ? code : offered === code ? undefined : offered;
        show({ kind: 'stranger', code: offered, problem: wordsOf(error) });
      }
    },
    goOnline: () => enrolled?.goOnline(),
    goOffline: async () => enrolled?.goOffline(),
    toggle: async (message) => enrolled?.toggle(message),
    acknowledge: async (message) => enrolled?.acknowledge(message),
    loadAttachment: async (message, index) => enrolled?.loadAttachment(message, index),
    async erase() {
      try {
        await enrolled?.close();
        enrolled = undefined;
        await store?.close();
        store = undefined;
        await patiently(deps.eraseStore);
      } catch (error) {
        return failed(error);
      }
      await start();
    },
  };

  async function patiently<T>(ask: () => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await ask();
      } catch (error) {
        if (attempt === TRIES || !isCode(error, 'ERR_CLIENT_STORE_BUSY')) throw error;
        await new Promise<void>((resolve) => setTimeout(resolve, BETWEEN_TRIES));
      }
    }
  }
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof SealpostError && error.code === code;
}
