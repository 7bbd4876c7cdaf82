/** The contract of chats and of mail: Teams and Signal each by both ways, Apple Messages for Business, and a relay. */
import { describeContract } from './contract.ts';
import { email } from './providers/email.ts';
import { imessageBusiness } from './providers/imessage-business.ts';
import { signalRest, signalRpc } from './providers/signal.ts';
import { teamsBot, teamsWorkflows } from './providers/teams.ts';

for (const provider of [teamsBot, teamsWorkflows, signalRpc, signalRest, imessageBusiness, email])
  describeContract(provider);
