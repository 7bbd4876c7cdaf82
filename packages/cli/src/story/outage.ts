/** The act of an outage: who carries a notice changes, how well the content is protected does not. */
import type { MessageId } from '@sealpost/protocol';
import { goOffline, received, timelineHas } from './acts.ts';
import { type Course, courseInWords, courseOf } from './rungs.ts';
import { ALICE_PHONE, type Stage } from './stage.ts';
import { must, type Steps, until } from './steps.ts';

/**
 * The provider refuses every credential: unlike a 503 this is nothing to wait out, so the next rung begins at once. Once it
 * is back, the next alert goes over it again.
 */
export async function actFour(stage: Stage, steps: Steps): Promise<void> {
  const { phone, laptop, simulator } = stage;
  await goOffline(steps, 'four', phone, laptop);
  await simulator.setFault('rbm', 'unauthorized');
  const { message } = await steps.run('four.accepted', 'RCS refuses our credentials; a fourth alert was accepted', () =>
    stage.sendAlert('DatabaseFailover', 'firing'),
  );
  const course = await steps.run(
    'four.moved',
    'no try over RCS was taken, and SMS took over without waiting for its turn',
    () => movedToSms(stage, message),
  );
  await steps.run(
    'four.kept',
    'the floor is the one it was accepted under: both carriers were given a notice, and no content',
    async () => {
      must(course.floor === 'e2ee', 'the floor of the flow');
      for (const { use, protection } of course.rungs)
        must(use === 'notice' && protection === undefined, 'notices alone');
      const shown = await until(
        'SMS notice on the phone',
        () => simulator.lastMessage(ALICE_PHONE, 'sms'),
        stage.surroundings.now,
      );
      must(!shown.includes('DatabaseFailover') && !shown.includes('db1'), 'a notice without content');
    },
  );
  for (const line of courseInWords(course)) steps.tell(line);
  const after = await steps.run(
    'four.back',
    'RCS is back: the notice of a fifth alert went over it again',
    async () => {
      await simulator.clearFaults();
      const next = await stage.sendAlert('BackupLate', 'firing');
      await deliveredOver(stage, next.message, 'rcs-main');
      return next.message;
    },
  );
  await steps.run('four.opened', 'the phone came online and opened both', async () => {
    await phone.connect();
    for (const each of [message, after]) {
      await received(stage, phone, each);
      await phone.open(each);
      await timelineHas(stage, each, 'receipt.device', (event) => event.receipt === 'read');
    }
  });
}

async function movedToSms(stage: Stage, message: MessageId): Promise<Course> {
  await deliveredOver(stage, message, 'sms-main');
  const course = courseOf((await stage.status(message)).timeline.map(({ event }) => event));
  must(course !== undefined, 'a timeline that begins with acceptance');
  must(course.rungs.map(({ channel }) => channel).join() === 'rcs-main,sms-main', 'one rung after the other');
  const [rcs, sms] = course.rungs;
  must(rcs?.outcomes.join() === 'auth-broken', 'one try over RCS, refused');
  must(sms?.outcomes.join() === 'accepted', 'one try over SMS, taken');
  return course;
}

function deliveredOver(stage: Stage, message: MessageId, channel: 'rcs-main' | 'sms-main') {
  return timelineHas(
    stage,
    message,
    'receipt.provider',
    (event) => event.channel === channel && event.status === 'delivered',
  );
}
