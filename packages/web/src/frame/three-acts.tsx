/** What to press and where to look: the story's three acts, by hand. */
import { More } from '../design/text.tsx';
import styles from './frame.module.css';

const ACTS = [
  {
    title: 'Act one: the recipient is online',
    steps: [
      'Recipient: press “Enroll this browser”. It is now one of alice’s devices.',
      'Carrier: press “Send an alert”.',
      'Recipient: open it. Its attachment and who can read it are there; the phone shows nothing new.',
      'Operator: the timeline says why each step was taken, and the proof is verified in this browser.',
    ],
  },
  {
    title: 'Act two: the recipient is offline',
    steps: [
      'Recipient: take this device offline. Carrier: send an alert.',
      'Carrier: after two seconds the phone shows an RCS notice. It says that something waits, and not what.',
      'Recipient: bring the device back and read it there.',
    ],
  },
  {
    title: 'Act three: RCS is broken',
    steps: [
      'Recipient: take this device offline. Carrier: press “Break RCS”, then send an alert.',
      'Carrier: the notice comes as an SMS. Operator: the timeline says what the RCS provider answered.',
      'Carrier: press “Repair RCS”. Recipient: bring the device back.',
    ],
  },
] as const;

export function ThreeActs() {
  return (
    <More summary="Three acts: what to press, where to look">
      <div className={styles.acts}>
        {ACTS.map(({ title, steps }) => (
          <section key={title}>
            <h2 className={styles.act}>{title}</h2>
            <ol className={styles.steps}>
              {steps.map((step) => (
                <li key={step}>{step}</li>
              ))}
            </ol>
          </section>
        ))}
      </div>
    </More>
  );
}
