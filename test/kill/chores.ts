/**
 * What happens seldom and must survive a kill too: a new member with a new device, the next bundle, an alert whose picture
 * becomes a blob, a reply that an application subscribed to. Each is repeated by whoever asked for it until it is done, and leaves messages the judge asks for.
 */
import { systemSurroundings } from '../../packages/platform/src/index.ts';
import { controlApi } from '../../packages/protocol/src/index.ts';
import type { Promised } from './history.ts';
import type { KillHouse } from './house.ts';
import type { People, Resident } from './people.ts';
import { writeBack } from './replies.ts';

export interface Chores {
  /** One round of those that pass one of these points (`service point`), an alert, which sets the rest in motion, and a reply. */
  round(left: readonly string[]): Promise<void>;
  readonly promised: readonly Promised[];
  readonly newcomers: readonly Resident[];
  /** What was written back. */
  readonly written: readonly string[];
}

const OF_NEWCOMERS = / (?:enrollment|directory|groups|agents)\./;
const OF_BUNDLES = / (?:bundle|flows)\./;

export function createChores(house: KillHouse, people: People): Chores {
  const promised: Promised[] = [];
  const newcomers: Resident[] = [];
  const written: string[] = [];
  const { caller, residents, alertSecret } = people;
  const startsAt = new Date(systemSurroundings().now()).toISOString();
  let rounds = 0;

  const welcome = async () => {
    const { resident, box } = await people.newcomer();
    newcomers.push(resident);
    const key = `hello ${resident.member}`;
    const message = await caller.send({ key, flow: box.flow, to: box.to });
    promised.push({ key, message, sender: resident.member, order: 0, member: box.to, notice: box.notice });
  };

  const alert = async (order: number) => {
    const body = webhook(`Picture-${order}`, `http://127.0.0.1:${house.ports.simulator}/images/${order}.png`, startsAt);
    const call = () =>
      caller.control.call('POST', '/v1/alerts', controlApi.messageAcceptedSchema, { body, token: alertSecret });
    const { message } = await caller.untilDone(call);
    const [carol] = residents;
    if (carol === undefined) throw new TypeError('somebody is online');
    const key = `[FIRING:1] Picture-${order}`;
    promised.push({ key, message, sender: 'alertmanager', order, member: carol.member, notice: 'none' });
  };

  const reply = async (order: number) => {
    const [carol] = residents;
    if (carol === undefined) throw new TypeError('somebody is online');
    const text = `Reply ${order}`;
    written.push(text);
    await writeBack(`http://127.0.0.1:${house.ports.simulator}`, carol.phone, text);
  };

  return {
    promised,
    newcomers,
    written,
    async round(left) {
      rounds += 1;
      const passes = (points: RegExp) => left.some((point) => points.test(point));
      const due = [alert(rounds), reply(rounds)];
      if (passes(OF_NEWCOMERS)) due.push(welcome());
      if (passes(OF_BUNDLES)) due.push(people.applyBundle());
      await Promise.all(due);
    },
  };
}

/** Alertmanager's webhook, version 4. */
function webhook(name: string, picture: string, startsAt: string) {
  const labels = { alertname: name };
  const annotations = { picture };
  const generatorURL = 'http://prometheus.acme.example:9090/graph';
  const endsAt = '0001-01-01T00:00:00Z';
  return {
    version: '4',
    groupKey: `{}:{alertname="${name}"}`,
    status: 'firing',
    receiver: 'sealpost',
    groupLabels: labels,
    commonLabels: labels,
    commonAnnotations: annotations,
    externalURL: 'http://alertmanager.acme.example:9093',
    alerts: [
      { status: 'firing', labels, annotations, startsAt, endsAt, generatorURL, fingerprint: 'c0ffee00c0ffee00' },
    ],
  };
}
