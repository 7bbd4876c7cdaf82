import { mountApp } from '../design/app.tsx';

mountApp(<main>carrier</main>);
