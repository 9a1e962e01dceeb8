import { render } from 'preact';
import { App } from './app.tsx';
import { Phone } from './phone.ts';

const phone = new Phone();
render(<App phone={phone} />, document.getElementById('app')!);
void phone.start();

// A page that comes back from the browser's back-forward cache has hung up when it left.
addEventListener('pageshow', ({ persisted }) => {
  if (persisted) location.reload();
});
