/** What every page stands on: the component library under our tokens, its run-time styles under this answer's nonce. */
import '@mantine/core/styles.css';
import './tokens.css';
import { MantineProvider } from '@mantine/core';
import { type ReactNode, StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { theme } from './theme.ts';

export function mountApp(app: ReactNode): void {
  const root = document.getElementById('root');
  if (root === null) throw new TypeError('the page has no #root');
  createRoot(root).render(
    <StrictMode>
      <MantineProvider theme={theme} defaultColorScheme="auto" getStyleNonce={nonce}>
        {app}
      </MantineProvider>
    </StrictMode>,
  );
}

function nonce(): string {
  return document.querySelector<HTMLMetaElement>('meta[name="csp-nonce"]')?.content ?? '';
}
