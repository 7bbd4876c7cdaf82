/**
 * The named statements of modules/delivery (lease, inbox, effects, set-aside) and modules/routing (router) on the model's tables: what each does, under
 * the name it has there. Their texts are pinned in statement-texts.ts: one that changes is refused until the model was
 * compared with it again. Servers are only ever killed here, so that none releases its lanes.
 */
import type { AttemptRow, CursorRow, NameRow, ReceiptRow, Tables } from './rows.ts';
import type { Table, Transaction } from './tables.ts';

export type Statement = (tx: Transaction, values: readonly unknown[]) => Promise<object[]>;

export function deliveryStatements(tables: Tables): Readonly<Record<string, Statement>> {
  return { ...leases(tables), ...inbox(tables), ...effects(tables), ...asides(tables), ...routing(tables) };
}

function leases({ cursor, lane: lanes }: Tables): Record<string, Statement> {
  return {
    async 'delivery-claim'(tx, values) {
      const [owner, until, now] = values as [string, number, number];
      await tx.update(
        cursor,
        (row) => row.owner === owner || row.lease_until < now,
        (row) => ({ ...row, owner, lease_until: until, epoch: row.owner === owner ? row.epoch : row.epoch + 1 }),
        { skipLocked: true, order: (a, b) => a.lane - b.lane },
      );
      return [];
    },
    async 'delivery-behind'(tx, [owner]) {
      return tx
        .all(cursor)
        .map((row) => ({ ...row, head: tx.get(lanes, String(row.lane))?.head ?? 0 }))
        .filter((row) => row.owner === owner && row.head > row.decided)
        .map(({ lane, decided, epoch, head }) => ({ lane, decided, epoch, head }));
    },
    async 'delivery-move'(tx, values) {
      const [lane, owner, epoch, to, from] = values as [number, string, number, number, number];
      const isMine = (row: CursorRow) =>
        row.lane === lane && row.owner === owner && row.epoch === epoch && row.decided === from;
      const moved = await tx.update(cursor, isMine, (row) => ({ ...row, decided: to }));
      tx.fenced ||= moved.length === 0;
      return moved.map(() => ({ lane }));
    },
  };
}

function inbox({ outcome, receipt, timer, aside, name }: Tables): Record<string, Statement> {
  const byDue = (a: { due: number; id: number }, b: { due: number; id: number }) => a.due - b.due || a.id - b.id;
  const byId = (a: { id: number }, b: { id: number }) => a.id - b.id;
  const due =
    <Row extends { readonly id: number; readonly lane: number; readonly due: number }>(table: Table<Row>): Statement =>
    async (tx, values) => {
      const [limit, now] = values as [number, number];
      const rows = tx.all(table).filter((row) => row.due <= now);
      return rows
        .sort(byDue)
        .slice(0, limit)
        .map(({ id, lane }) => ({ id, lane }));
    };
  const taken = async <Row extends { readonly id: number }>(tx: Transaction, table: Table<Row>, ids: unknown) =>
    tx.remove(table, ({ id }) => (ids as number[]).includes(id));
  const firstName = (tx: Transaction, { vendor, ids }: ReceiptRow): NameRow | undefined =>
    ids.map((id) => tx.get(name, `${vendor}/${id}`)).find((row) => row !== undefined);
  return {
    'delivery-aside': due(aside),
    'delivery-due': due(timer),
    async 'delivery-outcomes'(tx, [limit]) {
      const rows = tx
        .all(outcome)
        .sort(byId)
        .slice(0, limit as number);
      return rows.map(({ id, lane }) => ({ id, lane }));
    },
    async 'delivery-receipts'(tx, [limit]) {
      const rows = tx
        .all(receipt)
        .sort(byId)
        .flatMap((row) => {
          const known = firstName(tx, row);
          return known === undefined ? [] : [{ id: row.id, lane: known.lane }];
        });
      return rows.slice(0, limit as number);
    },
    async 'delivery-take-aside'(tx, [ids]) {
      return taken(tx, aside, ids);
    },
    async 'delivery-take-outcomes'(tx, [ids]) {
      return taken(tx, outcome, ids);
    },
    async 'delivery-take-timers'(tx, [ids]) {
      return taken(tx, timer, ids);
    },
    async 'delivery-take-receipts'(tx, values) {
      const [ids, lane] = values as [number[], number];
      const matched = new Map<number, NameRow>();
      for (const row of tx.all(receipt).filter(({ id }) => ids.includes(id))) {
        const known = firstName(tx, row);
        if (known?.lane === lane) matched.set(row.id, known);
      }
      const gone = await tx.remove(receipt, ({ id }) => matched.has(id));
      return gone.sort(byId).map(({ id, status, code }) => {
        const { message, attempt } = matched.get(id)!;
        return { id, status, code, message, attempt };
      });
    },
    async 'delivery-prune-names'(tx, [now]) {
      await tx.remove(name, ({ expires }) => expires < (now as number));
      return [];
    },
    async 'delivery-prune-receipts'(tx, [before]) {
      const gone = await tx.remove(receipt, ({ received }) => received < (before as number));
      const vendors = new Map<string, number>();
      for (const { vendor } of gone) vendors.set(vendor, (vendors.get(vendor) ?? 0) + 1);
      return [...vendors].map(([vendor, count]) => ({ vendor, count }));
    },
  };
}

function effects({ timer, attempt, name, envelope }: Tables): Record<string, Statement> {
  const nameOf = (values: readonly unknown[]): NameRow => {
    const [vendor, provider_id, id, lane, message, expires] = values as [
      string,
      string,
      string,
      number,
      string,
      number,
    ];
    return { vendor, provider_id, attempt: id, lane, message, expires };
  };
  const strip = (row: AttemptRow): AttemptRow => ({ ...row, part: null });
  const isOver = (message: unknown) => (row: AttemptRow) =>
    row.message === message && row.lease_owner === null && row.kept === null && row.task !== 'revoke';
  return {
    async 'delivery-timer'(tx, values) {
      const [lane, message, kind, step, due] = values as [number, string, string, number | null, number];
      await tx.insert(timer, { id: timer.identity(), lane, message, kind, step, due });
      return [];
    },
    async 'delivery-attempt'(tx, values) {
      const row = attemptOf(values);
      // UNIQUE (message, step), where the arbiter of ON CONFLICT is the id alone.
      if (
        tx.all(attempt).some(({ id, message, step }) => id !== row.id && message === row.message && step === row.step)
      )
        throw Object.assign(new Error('unique'), { code: '23505' });
      await tx.insert(attempt, row, (existing) => ({
        ...existing,
        floor: row.floor,
        vendor: row.vendor,
        adapter: row.adapter,
        limits: row.limits,
        try: row.try,
        available_at: row.available_at,
        done: false,
        lease_owner: null,
        lease_until: 0,
      }));
      return [];
    },
    async 'delivery-name'(tx, values) {
      await tx.insert(name, nameOf(values), () => undefined);
      return [];
    },
    async 'delivery-take-name'(tx, values) {
      const taking = nameOf(values);
      await tx.insert(name, taking, (existing) => (existing.provider_id === existing.attempt ? undefined : taking));
      return [];
    },
    async 'delivery-end-timers'(tx, [message]) {
      await tx.remove(timer, (row) => row.message === message);
      return [];
    },
    async 'delivery-end-attempts'(tx, [message]) {
      await tx.remove(attempt, isOver(message));
      return [];
    },
    async 'delivery-strip-attempts'(tx, [message]) {
      await tx.update(attempt, (row) => row.message === message && row.task !== 'revoke', strip);
      return [];
    },
    async 'delivery-withdraw'(tx, [message]) {
      const open = (row: AttemptRow) => row.message === message && !row.done;
      await tx.update(attempt, open, (row) => ({ ...row, part: null, available_at: 0 }));
      return [];
    },
    async 'delivery-note-name'(tx, [id, provider_id]) {
      await tx.update(
        attempt,
        (row) => row.id === id,
        (row) => ({ ...row, provider_id: provider_id as string }),
      );
      return [];
    },
    async 'delivery-keep'(tx, [ids]) {
      await tx.update(
        attempt,
        ({ id }) => (ids as string[]).includes(id),
        (row) => ({ ...row, kept: row.part ?? '', part: null, available_at: 0 }),
      );
      return [];
    },
    async 'delivery-take-back'(tx, [id, available_at]) {
      await tx.update(
        attempt,
        (row) => row.id === id && row.lease_owner === null,
        (row) => ({
          ...{
            ...row,
            task: 'revoke',
            part: row.kept === null || row.kept === '' ? row.part : row.kept,
            kept: null,
            done: false,
            lease_until: 0,
          },
          available_at: available_at as number,
        }),
      );
      return [];
    },
    async 'delivery-let-go'(tx, [message]) {
      await tx.remove(attempt, (row) => row.message === message && row.lease_owner === null);
      return [];
    },
    async 'delivery-strip-kept'(tx, [message]) {
      await tx.update(
        attempt,
        (row) => row.message === message,
        (row) => ({ ...row, part: null, kept: null }),
      );
      return [];
    },
    async 'delivery-forget'(tx, [id]) {
      await tx.remove(attempt, (row) => row.id === id && row.lease_owner === null);
      return [];
    },
    async 'delivery-strip'(tx, [message, body]) {
      await tx.update(
        envelope,
        (row) => row.message === message,
        (row) => ({ ...row, body: body as Uint8Array }),
      );
      return [];
    },
  };
}

function routing({ closed, health, capability }: Tables): Record<string, Statement> {
  return {
    async 'routing-closed'(tx) {
      return tx.all(closed).map(({ vendor }) => ({ vendor }));
    },
    async 'routing-failing'(tx, [now]) {
      const rows = tx.all(health).filter(({ opened, until }) => opened !== null && until > (now as number));
      return rows.map(({ vendor }) => ({ vendor }));
    },
    async 'routing-unreachable'(tx, values) {
      const [recipients, now] = values as [string[], number];
      const rows = tx
        .all(capability)
        .filter(({ recipient, reachable, until }) => recipients.includes(recipient) && !reachable && until > now);
      return rows.map(({ recipient, vendor }) => ({ recipient, vendor }));
    },
  };
}

function asides({ aside }: Tables): Record<string, Statement> {
  return {
    async 'delivery-set-aside'(tx, values) {
      const [lane, message, input, code, failures, at, due] = values as [
        number,
        string,
        string,
        string,
        number,
        number,
        number,
      ];
      await tx.insert(aside, { id: aside.identity(), lane, message, input, code, failures, at, due });
      return [];
    },
    async 'delivery-savepoint'(tx) {
      tx.savepoint();
      return [];
    },
    async 'delivery-release'(tx) {
      tx.release();
      return [];
    },
    async 'delivery-back'(tx) {
      tx.rollbackToSavepoint();
      return [];
    },
  };
}

function attemptOf(values: readonly unknown[]): AttemptRow {
  const [
    id,
    lane,
    message,
    step,
    organisation,
    flow,
    floor,
    channel,
    vendor,
    adapter,
    use,
    number,
    part,
    expires,
    available_at,
    sender,
    recipient,
    limits,
  ] = values as [
    string,
    number,
    string,
    number,
    string,
    string,
    string,
    string,
    string,
    string,
    string,
    number,
    string,
    number,
    number,
    string,
    string,
    string,
  ];
  const lease = { done: false, lease_owner: null, lease_epoch: 0, lease_until: 0 };
  return {
    ...{
      id,
      lane,
      message,
      step,
      organisation,
      flow,
      floor,
      channel,
      vendor,
      adapter,
      use,
      part,
      expires,
      available_at,
    },
    ...{ sender, recipient, limits, task: 'send', provider_id: null, kept: null },
    try: number,
    ...lease,
  };
}
