import { mountApp } from '../design/app.tsx';

mountApp(<main>frame</main>);
