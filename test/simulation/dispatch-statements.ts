/** The named statements of dispatcher/claims.ts on the model's tables; see delivery-statements.ts. */
import type { Statement } from './delivery-statements.ts';
import type { AttemptRow, Tables } from './rows.ts';

export function dispatchStatements({ attempt, outcome, receipt }: Tables): Readonly<Record<string, Statement>> {
  return {
    async 'dispatch-claim'(tx, values) {
      const [now, limit, owner, until] = values as [number, number, string, number];
      const claimed = await tx.update(
        attempt,
        (row) => !row.done && row.available_at <= now && row.lease_until < now,
        (row) => ({ ...row, lease_owner: owner, lease_until: until, lease_epoch: row.lease_epoch + 1 }),
        { skipLocked: true, limit, order: (a, b) => a.available_at - b.available_at },
      );
      return claimed.map(({ before, after }) => ({
        ...after,
        epoch: after.lease_epoch,
        interrupted: before.lease_owner !== null,
      }));
    },
    async 'dispatch-renew'(tx, values) {
      const [ids, epochs, until] = values as [string[], number[], number];
      const isMine = (row: AttemptRow) =>
        row.lease_owner !== null && ids.some((id, at) => id === row.id && epochs[at] === row.lease_epoch);
      await tx.update(attempt, isMine, (row) => ({ ...row, lease_until: until }));
      return [];
    },
    async 'dispatch-finish'(tx, values) {
      const [id, epoch, text, at] = values as [string, number, string, number];
      const mine = await tx.update(
        attempt,
        (row) => row.id === id && row.lease_epoch === epoch && row.lease_owner !== null && !row.done,
        (row) => ({ ...row, done: true, lease_owner: null, lease_until: 0 }),
      );
      for (const { after } of mine)
        await tx.insert(outcome, {
          ...{ id: outcome.identity(), attempt: after.id, lane: after.lane, message: after.message },
          ...{ outcome: text, at },
        });
      return mine.map(() => ({ one: 1 }));
    },
    async 'dispatch-receipt'(tx, values) {
      const [channel, ids, status, code, received] = values as [string, string[], string, string, number];
      await tx.insert(receipt, { id: receipt.identity(), channel, ids, status, code, received });
      return [];
    },
    async 'dispatch-next'(tx) {
      const open = tx.all(attempt).filter(({ done }) => !done);
      const due = open.map(({ available_at, lease_until }) => Math.max(available_at, lease_until));
      return [{ due: due.length === 0 ? null : Math.min(...due) }];
    },
  };
}
