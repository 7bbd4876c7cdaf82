/** Microsoft Teams, by a bot or by workflows; the two share how a message looks and nothing else. */
import type { Adapter, AdapterContext } from '../adapter.ts';
import { createTeamsBot } from './bot.ts';
import type { TeamsSettings } from './config.ts';
import { createTeamsWorkflows } from './workflows.ts';

export function createTeams(settings: TeamsSettings, context: AdapterContext): Adapter {
  return settings.mode === 'bot' ? createTeamsBot(settings, context) : createTeamsWorkflows(settings, context);
}
