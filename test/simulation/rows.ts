/** The delivery tables of packages/gateway/sql, and those of the log and of queues it writes to, as rows of the model. */
import type { LogEvent, MessageId } from '@sealpost/protocol';
import { Table } from './tables.ts';

export interface LaneRow {
  readonly lane: number;
  readonly head: number;
}
export interface LaneEventRow {
  readonly lane: number;
  readonly seq: number;
  readonly event: LogEvent & { readonly message: MessageId };
}
export interface EnvelopeRow {
  readonly message: MessageId;
  readonly body: Uint8Array;
}
export interface CursorRow {
  readonly lane: number;
  readonly decided: number;
  readonly owner: string;
  readonly epoch: number;
  readonly lease_until: number;
}
export interface TimerRow {
  readonly id: number;
  readonly lane: number;
  readonly message: string;
  readonly kind: string;
  readonly step: number | null;
  readonly due: number;
}
export interface AttemptRow {
  readonly id: string;
  readonly lane: number;
  readonly message: string;
  readonly step: number;
  readonly organisation: string;
  readonly flow: string;
  readonly floor: string;
  readonly channel: string;
  readonly vendor: string;
  readonly adapter: string;
  readonly use: string;
  readonly try: number;
  readonly sender: string;
  readonly recipient: string;
  readonly limits: string;
  readonly task: string;
  readonly provider_id: string | null;
  readonly part: string | null;
  readonly kept: string | null;
  readonly expires: number;
  readonly available_at: number;
  readonly done: boolean;
  readonly lease_owner: string | null;
  readonly lease_epoch: number;
  readonly lease_until: number;
}
export interface OutcomeRow {
  readonly id: number;
  readonly attempt: string;
  readonly lane: number;
  readonly message: string;
  readonly outcome: string;
  readonly at: number;
}
export interface ReceiptRow {
  readonly id: number;
  readonly vendor: string;
  readonly ids: readonly string[];
  readonly status: string;
  readonly code: string;
  readonly received: number;
}
export interface NameRow {
  readonly vendor: string;
  readonly provider_id: string;
  readonly attempt: string;
  readonly lane: number;
  readonly message: string;
  readonly expires: number;
}
export interface AsideRow {
  readonly id: number;
  readonly lane: number;
  readonly message: string;
  readonly input: string;
  readonly code: string;
  readonly failures: number;
  readonly at: number;
  readonly due: number;
}
export interface ClosedRow {
  readonly vendor: string;
}
export interface HealthRow {
  readonly vendor: string;
  readonly failures: number;
  readonly opened: number | null;
  readonly until: number;
}
export interface RateRow {
  readonly key: string;
  readonly arrival: number;
}
export interface CapabilityRow {
  readonly recipient: string;
  readonly vendor: string;
  readonly reachable: boolean;
  readonly until: number;
}
export interface QueueRow {
  readonly id: number;
  readonly device: string;
  readonly conversation: string;
  readonly message: string;
  /** It has a cursor: the device may have it. */
  readonly fetched: boolean;
}

export type Tables = ReturnType<typeof createTables>;

export function createTables(lanes: number) {
  const byId = (row: { readonly id: number | string }) => String(row.id);
  const tables = {
    lane: new Table<LaneRow>('lane', ({ lane }) => String(lane)),
    laneEvent: new Table<LaneEventRow>('lane_event', ({ lane, seq }) => `${lane}/${seq}`),
    envelope: new Table<EnvelopeRow>('envelope', ({ message }) => message),
    cursor: new Table<CursorRow>('lane_cursor', ({ lane }) => String(lane)),
    timer: new Table<TimerRow>('timer', byId),
    attempt: new Table<AttemptRow>('attempt', byId),
    outcome: new Table<OutcomeRow>('attempt_outcome', byId),
    receipt: new Table<ReceiptRow>('provider_receipt', byId),
    name: new Table<NameRow>('provider_message', ({ vendor, provider_id }) => `${vendor}/${provider_id}`),
    aside: new Table<AsideRow>('set_aside', byId),
    closed: new Table<ClosedRow>('vendor_closed', ({ vendor }) => vendor),
    health: new Table<HealthRow>('vendor_health', ({ vendor }) => vendor),
    rate: new Table<RateRow>('rate', ({ key }) => key),
    capability: new Table<CapabilityRow>('capability', ({ recipient, vendor }) => `${recipient}/${vendor}`),
    queue: new Table<QueueRow>('device_queue', ({ device, message }) => `${device}/${message}`),
  };
  for (let lane = 0; lane < lanes; lane++) {
    tables.lane.rows.set(String(lane), { lane, head: 0 });
    tables.cursor.rows.set(String(lane), { lane, decided: 0, owner: '', epoch: 0, lease_until: 0 });
  }
  return tables;
}
