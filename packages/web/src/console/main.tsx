import { mountApp } from '../design/app.tsx';

mountApp(<main>console</main>);
