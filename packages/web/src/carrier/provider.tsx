/** One provider: what it knows, what it does not, and each request it was sent, as it arrived. */
import { Card } from '../design/column.tsx';
import { Mono, More, Quiet, StatusWord } from '../design/text.tsx';
import { TimeText } from '../design/time-text.tsx';
import styles from './carrier.module.css';
import { knowledgeOf, PROVIDERS } from './knowledge.ts';
import type { Carrier, Sent } from './live-schema.ts';

export function Provider({ carrier, traffic }: { carrier: Carrier; traffic: readonly Sent[] }) {
  const { name } = PROVIDERS[carrier];
  const { learned, notLearned, messages } = knowledgeOf(traffic, carrier);
  const sent = traffic.filter((entry) => entry.carrier === carrier).toReversed();
  return (
    <Card>
      <h3 className={styles.subject}>{name}</h3>
      {messages === 0 ? (
        <Quiet>{notLearned}</Quiet>
      ) : (
        <>
          <div>
            <strong>It learned</strong>
            <ul className={styles.points}>
              {learned.map((words) => (
                <li key={words}>{words}</li>
              ))}
            </ul>
          </div>
          <div>
            <strong>It did not learn</strong>
            <p className={styles.text}>{notLearned}</p>
          </div>
          <More summary={sent.length === 1 ? 'The request it was sent' : `The ${sent.length} requests it was sent`}>
            <ol className={styles.list} aria-label={`Requests to the ${name}, newest first`}>
              {sent.map((entry) => (
                <Request key={entry.id} sent={entry} />
              ))}
            </ol>
          </More>
        </>
      )}
    </Card>
  );
}

function Request({ sent: { at, operation, address, text, raw, refused } }: { sent: Sent }) {
  return (
    <li className={styles.entry}>
      <div className={styles.head}>
        <Mono>{operation}</Mono>
        <TimeText at={at} />
      </div>
      {address === undefined ? null : <Quiet>To {address}</Quiet>}
      <p className={styles.text}>{text}</p>
      {refused === undefined ? null : (
        <p className={styles.text}>
          <StatusWord tone="warn">Turned away with {refused}.</StatusWord> It could be read all the same.
        </p>
      )}
      <More summary="As it arrived">
        <pre className={styles.raw}>{raw}</pre>
      </More>
    </li>
  );
}
