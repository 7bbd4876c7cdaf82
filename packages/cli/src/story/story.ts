/** The story from beginning to end, on a running Sealpost. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Surroundings } from '@sealpost/platform';
import { readBootstrapped } from '../bootstrap/bootstrap.ts';
import { copyManifests } from '../manifests/own-copy.ts';
import type { RunningSealpost } from '../start/start.ts';
import { actOne, actThree, actTwo } from './acts.ts';
import { actFour } from './outage.ts';
import { proveIt } from './proof.ts';
import { setStage } from './stage.ts';
import { createSteps, type StepResult } from './steps.ts';

export interface StoryResult {
  readonly ok: boolean;
  readonly steps: readonly StepResult[];
  /** What went wrong in the step that failed. */
  readonly failure?: unknown;
}

export async function tellStory(
  sealpost: RunningSealpost,
  manifests: string,
  surroundings: Surroundings,
  say: (text: string) => void,
): Promise<StoryResult> {
  const steps = createSteps(say);
  const open: { close(): Promise<void> }[] = [];
  try {
    say('\nThe house');
    const { trust } = await steps.run(
      'bootstrap',
      'organisation root, device CA, service certificates and the operator’s keys are made and verify',
      () => readBootstrapped(sealpost.operator),
    );
    const own = copyManifests(manifests, join(sealpost.folder.path, 'manifests'), sealpost.ports.control);
    const stage = await setStage(sealpost, own, surroundings, steps);
    open.push(stage.phone, stage.laptop);
    say('\nAct one: both devices online');
    const first = await actOne(stage, steps);
    say('\nAct two: both devices offline');
    await actTwo(stage, steps);
    say('\nAct three: the RCS provider is down');
    await actThree(stage, steps);
    say('\nAct four: the RCS provider goes out, and comes back');
    await actFour(stage, steps);
    say('\nProof');
    const proofs = sealpost.folder.zone('run');
    await proveIt(stage, steps, proofs, { logKey: trust.gateway.log, witnessKeys: [trust.control.witness] }, first);
    writeFileSync(join(proofs, 'story-told'), `${surroundings.now()}\n`);
    return { ok: true, steps: steps.results };
  } catch (failure) {
    return { ok: false, steps: steps.results, failure };
  } finally {
    for (const device of open) await device.close();
  }
}
