import { render } from 'preact';
import { App } from './app.tsx';
import { Phone } from './phone.ts';

const phone = new Phone();
render(<App phone={phone} />, document.getElementById('app')!);
void phone.start();
