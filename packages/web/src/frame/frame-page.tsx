/** The page around the three columns: says what this is, and what one machine cannot show. */
import { useEffect, useState } from 'react';
import { Problem } from '../design/problem.tsx';
import { Quiet } from '../design/text.tsx';
import { type Codes, takeCodes } from './codes.ts';
import { columnsOf, type Origins, originsSchema } from './columns.ts';
import { ColumnsView } from './columns-view.tsx';
import styles from './frame.module.css';
import { ThreeActs } from './three-acts.tsx';

const TITLE = 'Sealpost, live';

export function FramePage({ firstCodes }: { firstCodes: Codes }) {
  const origins = useOrigins();
  const codes = useCodes(firstCodes);
  return (
    <main className={styles.page} aria-label={TITLE}>
      <header className={styles.header}>
        <h1 className={styles.title}>{TITLE}</h1>
        <p className={styles.lede}>
          One alert, seen by three parties. Each column is an origin of its own; device keys exist only in the
          recipient’s. Here all of them run on one machine, which protects none from its administrator.
        </p>
        <ThreeActs />
      </header>
      {origins === undefined ? <Quiet>Asking where the columns are …</Quiet> : null}
      {origins === 'away' ? (
        <Problem
          sentence="The simulator does not say where the columns are."
          hint="Check that `npm start` runs, then reload."
        />
      ) : null}
      {typeof origins === 'object' ? <ColumnsView columns={columnsOf(location.origin, origins, codes)} /> : null}
    </main>
  );
}

function useOrigins(): Origins | 'away' | undefined {
  const [origins, setOrigins] = useState<Origins | 'away'>();
  useEffect(() => {
    const asking = new AbortController();
    const ask = async (): Promise<Origins | 'away'> => {
      const answer = await fetch('/origins', { signal: asking.signal });
      return originsSchema.safeParse(await answer.json()).data ?? 'away';
    };
    ask()
      .catch(() => 'away' as const)
      .then((found) => asking.signal.aborted || setOrigins(found));
    return () => asking.abort();
  }, []);
  return origins;
}

/** A fresh link opened in the same tab changes the fragment only, and nothing is loaded again. */
function useCodes(first: Codes): Codes {
  const [codes, setCodes] = useState(first);
  useEffect(() => {
    const look = (): void => {
      const given = takeCodes(window);
      setCodes((known) => ({ ...known, ...given }));
    };
    window.addEventListener('hashchange', look);
    return () => window.removeEventListener('hashchange', look);
  }, []);
  return codes;
}
