import { mountApp } from '../design/app.tsx';
import { CarrierPage } from './carrier-page.tsx';

mountApp(<CarrierPage />);
