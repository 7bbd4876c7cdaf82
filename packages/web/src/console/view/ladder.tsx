/** The ladder of a message's flow: which routes it may take, in which order, and what each may carry. */
import type { ConsoleFlow } from '@sealpost/protocol';
import { NOTICE_WORDS } from '../../design/protection.ts';
import { Quiet } from '../../design/text.tsx';
import { duration } from '../timeline/states.ts';
import { ADAPTER_WORDS } from '../timeline/told.ts';
import styles from './console.module.css';

export interface LadderProps {
  /** As it runs now; `undefined` when another bundle ran then. */
  readonly flow: ConsoleFlow | undefined;
}

export function Ladder({ flow }: LadderProps) {
  if (flow === undefined)
    return <Quiet>Another bundle runs now than ran for this message; its steps stand in the timeline.</Quiet>;
  return (
    <div className={styles.ladder}>
      <h3 className={styles.heading}>Its ladder</h3>
      <ol className={styles.steps}>
        {flow.ladder.map(({ channel, adapter, use, after }) => (
          <li key={`${channel} ${use}`}>
            {use === 'carry'
              ? `The sealed message by ${ADAPTER_WORDS[adapter]}`
              : `A notice by ${ADAPTER_WORDS[adapter]}`}
            <span className={styles.quiet}>
              {' '}
              ({channel}, {after === 0 ? 'at once' : `after ${duration(after)}`})
            </span>
          </li>
        ))}
      </ol>
      {flow.ladder.some(({ use }) => use === 'notice') ? <Quiet>{NOTICE_WORDS}</Quiet> : null}
    </div>
  );
}
