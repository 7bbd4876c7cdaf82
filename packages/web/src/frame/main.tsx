import { mountApp } from '../design/app.tsx';
import { takeCodes } from './codes.ts';
import { FramePage } from './frame-page.tsx';

const firstCodes = takeCodes(window);
mountApp(<FramePage firstCodes={firstCodes} />);
