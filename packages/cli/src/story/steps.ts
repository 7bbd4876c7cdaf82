/**
 * The story's steps: each has a name, does something real, and is `ok` only when what it waited for was seen. Waiting is
 * on conditions, never on time; a condition that does not come true names the step that failed.
 */
import { type ErrorTable, errorsOf } from '@sealpost/protocol';

const STORY_ERRORS = {
  ERR_STORY_WAITED: {
    kind: 'unavailable',
    sentence: 'What this step waited for did not happen.',
    hint: 'The logs in the data folder say why; run `npm run demo` again for a fresh folder.',
  },
  ERR_STORY_UNEXPECTED: {
    kind: 'internal',
    sentence: 'A step saw something it must never see.',
    hint: 'This is a bug: keep the data folder and report it.',
  },
} as const satisfies ErrorTable;
export const storyError = errorsOf(STORY_ERRORS);

const PATIENCE = 45_000;
const PAUSE = 40;

export interface StepResult {
  readonly step: string;
  readonly ok: boolean;
  readonly code?: string;
}

export interface Steps {
  readonly results: readonly StepResult[];
  run<T>(step: string, sentence: string, work: () => Promise<T>): Promise<T>;
  /** A fact of the last step, which another run may see otherwise. */
  tell(fact: string): void;
}

export function createSteps(say: (text: string) => void): Steps {
  const results: StepResult[] = [];
  return {
    results,
    tell: (fact) => say(`      ${fact}`),
    async run(step, sentence, work) {
      try {
        const value = await work();
        results.push({ step, ok: true });
        say(`  ✓ ${sentence}`);
        return value;
      } catch (cause) {
        const { code } = cause as { code?: unknown };
        results.push({ step, ok: false, code: typeof code === 'string' ? code : 'ERR_STORY' });
        say(`  ✗ ${sentence}`);
        throw cause;
      }
    },
  };
}

/** Asks until the answer is not `undefined`; gives up after a time no healthy run needs. */
export async function until<T>(what: string, ask: () => Promise<T | undefined>, now: () => number): Promise<T> {
  const deadline = now() + PATIENCE;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    if (now() > deadline)
      throw storyError('ERR_STORY_WAITED', { details: [{ pointer: what, detail: 'was not seen' }] });
    await new Promise((resolve) => setTimeout(resolve, PAUSE));
  }
}

/** For what must hold and cannot be waited for. */
export function must(condition: boolean, what: string): asserts condition {
  if (!condition) throw storyError('ERR_STORY_UNEXPECTED', { details: [{ pointer: what, detail: 'does not hold' }] });
}
