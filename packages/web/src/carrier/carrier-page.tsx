/** What the carrier sees: one simulated phone, two simulated providers, and buttons that make them do something. */
import { Action } from '../design/action.tsx';
import { Column, Section } from '../design/column.tsx';
import { Problem } from '../design/problem.tsx';
import { Quiet } from '../design/text.tsx';
import { Controls } from './controls.tsx';
import { PhoneView } from './phone.tsx';
import { Provider } from './provider.tsx';
import { type Live, useLive } from './use-live.ts';

export function CarrierPage() {
  const live = useLive('/live');
  const { state } = live;
  return (
    <Column
      title="What the carrier sees"
      lede="A simulated phone and two simulated providers. Whatever is sent to them, they can read."
    >
      <Connection live={live} />
      {state === undefined ? null : (
        <>
          <Controls state={state} phone={state.phones[0]} />
          {state.phones.map((phone) => (
            <PhoneView key={phone.number} phone={phone} />
          ))}
          <Section title="What the providers know">
            <Provider carrier="rbm" traffic={state.traffic} />
            <Provider carrier="smsc" traffic={state.traffic} />
          </Section>
        </>
      )}
    </Column>
  );
}

function Connection({ live: { connection } }: { live: Live }) {
  switch (connection) {
    case 'live':
      return null;
    case 'connecting':
      return <Quiet>Asking the simulator …</Quiet>;
    case 'away':
      return (
        <Problem
          sentence="The simulator does not answer; what is shown may be old."
          hint="It is asked again by itself. Check that `npm start` still runs."
        />
      );
    case 'refused':
      return (
        <Problem sentence="The simulator shows this to no further page." hint="Close other tabs of it, then try again.">
          <Action onPress={() => location.reload()}>Try again</Action>
        </Problem>
      );
  }
}
