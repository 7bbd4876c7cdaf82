/**
 * Which forms of a message are sealed at all (DESIGN section 5): the content for devices, and the notices of the ladder.
 * A route asked for narrows that; one that would protect the content less than the flow demands is refused first of all.
 */
import { type CompiledFlow, type LadderStep, type MessageRequest, meetsFloor, protocolError } from '@sealpost/protocol';
import { messagesError } from './messages-errors.ts';

/** The notice steps to seal a form for; the content for devices is always sealed. Throws ERR_ROUTING_BELOW_FLOOR. */
export function decideRoute(flow: CompiledFlow, route: MessageRequest['route']): readonly LadderStep[] {
  const carries = flow.ladder.some(({ adapter, use }) => adapter === 'app' && use === 'carry');
  const notices = flow.ladder.filter(
    (step, at) => step.use === 'notice' && step.adapter !== 'app' && isFirst(flow.ladder, step, at),
  );
  if (route === undefined) {
    if (!carries) throw noRoute();
    return notices;
  }
  const steps = flow.ladder.filter(({ channel }) => channel === route.channel);
  if (steps.some(({ adapter }) => !meetsFloor(route.use, adapter, flow.floor))) {
    throw protocolError('ERR_ROUTING_BELOW_FLOOR', {
      details: [{ pointer: '/route', detail: `the floor of this flow is ${flow.floor}` }],
    });
  }
  const asked = steps.find(({ use }) => use === route.use);
  if (asked === undefined || !carries || (route.use === 'carry' && asked.adapter !== 'app')) throw noRoute();
  return notices.filter(({ channel }) => route.use === 'notice' && channel === route.channel);
}

/** An envelope has one form a channel and use; a ladder may come back to one. */
function isFirst(ladder: readonly LadderStep[], { channel, use }: LadderStep, at: number): boolean {
  return ladder.findIndex((step) => step.channel === channel && step.use === use) === at;
}

function noRoute() {
  return messagesError('ERR_MESSAGES_ROUTE', { details: [{ pointer: '/route', detail: 'not a route of this flow' }] });
}
