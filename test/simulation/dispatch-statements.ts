/** The named statements of the dispatcher (claims, hurdles, health, rates, reachability); see delivery-statements.ts. */
import type { Statement } from './delivery-statements.ts';
import type { AttemptRow, HealthRow, Tables } from './rows.ts';

export function dispatchStatements(tables: Tables): Readonly<Record<string, Statement>> {
  return { ...claims(tables), ...hurdles(tables) };
}

function hurdles({ closed, health, rate, capability }: Tables): Record<string, Statement> {
  const shown = ({ failures, opened, until }: HealthRow) => ({ failures, opened, until });
  return {
    async 'dispatch-closed'(tx, [vendor]) {
      return tx.get(closed, vendor as string) === undefined ? [] : [{ one: 1 }];
    },
    async 'dispatch-health'(tx, [vendor]) {
      const row = tx.get(health, vendor as string);
      return row === undefined ? [] : [shown(row)];
    },
    async 'dispatch-probe'(tx, values) {
      const [vendor, now, until] = values as [string, number, number];
      const isDue = (row: HealthRow) => row.vendor === vendor && row.opened !== null && row.until <= now;
      return (await tx.update(health, isDue, (row) => ({ ...row, until }))).map(() => ({ one: 1 }));
    },
    async 'dispatch-health-ensure'(tx, [vendor]) {
      await tx.insert(health, { vendor: vendor as string, failures: 0, opened: null, until: 0 }, () => undefined);
      return [];
    },
    async 'dispatch-health-lock'(tx, [vendor]) {
      const row = await tx.lock(health, vendor as string);
      return row === undefined ? [] : [shown(row)];
    },
    async 'dispatch-health-forget'(tx, [vendor]) {
      await tx.remove(health, (row) => row.vendor === vendor);
      return [];
    },
    async 'dispatch-health-set'(tx, values) {
      const [vendor, failures, opened, until] = values as [string, number, number | null, number];
      await tx.update(
        health,
        (row) => row.vendor === vendor,
        (row) => ({ ...row, failures, opened, until }),
      );
      return [];
    },
    async 'dispatch-rate'(tx, values) {
      const [key, now, gap, tolerance] = values as [string, number, number, number];
      let taken = true;
      await tx.insert(rate, { key, arrival: now + gap }, (existing) => {
        taken = existing.arrival <= now + tolerance;
        return taken ? { key, arrival: Math.max(existing.arrival, now) + gap } : undefined;
      });
      return taken ? [{ one: 1 }] : [];
    },
    async 'dispatch-rate-arrival'(tx, [key]) {
      const row = tx.get(rate, key as string);
      return row === undefined ? [] : [{ arrival: row.arrival }];
    },
    async 'dispatch-reach'(tx, values) {
      const [recipient, vendor] = values as [string, string];
      const row = tx.get(capability, `${recipient}/${vendor}`);
      return row === undefined ? [] : [{ reachable: row.reachable, until: row.until }];
    },
    async 'dispatch-reach-note'(tx, values) {
      const [recipient, vendor, reachable, , , until] = values as [string, string, boolean, string[], string, number];
      const row = { recipient, vendor, reachable, until };
      await tx.insert(capability, row, () => row);
      return [];
    },
  };
}

function claims({ attempt, outcome, receipt }: Tables): Record<string, Statement> {
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
      const [vendor, ids, status, code, received] = values as [string, string[], string, string, number];
      await tx.insert(receipt, { id: receipt.identity(), vendor, ids, status, code, received });
      return [];
    },
    async 'dispatch-next'(tx) {
      const open = tx.all(attempt).filter(({ done }) => !done);
      const due = open.map(({ available_at, lease_until }) => Math.max(available_at, lease_until));
      return [{ due: due.length === 0 ? null : Math.min(...due) }];
    },
  };
}
