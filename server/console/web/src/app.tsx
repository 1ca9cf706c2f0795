// The shell around every view.
import { Component, type ComponentChildren, type FunctionComponent } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { me, signedIn } from './session';
import { path, resetCode, route, views, type View } from './route';
import { start, stop } from './socket';
import { Account } from './ui/account';
import { Banners } from './ui/banners';
import { ConnectionPill } from './ui/connection';
import { AuditIcon, ConnectIcon, LiveIcon, PeopleIcon, SendIcon, ServerIcon } from './ui/icons';
import { Audit } from './views/audit';
import { Connect } from './views/connect';
import { Invitation } from './views/invitation';
import { MustEnrol } from './views/enrol';
import { Live } from './views/live';
import { People } from './views/people';
import { Reset } from './views/reset';
import { Send } from './views/send';
import { Server } from './views/server';
import { SignIn } from './views/signin';
import { words } from './words';
import icon from './icon.svg';

const pages: Record<View, { view: FunctionComponent; icon: FunctionComponent }> = {
  live: { view: Live, icon: LiveIcon },
  send: { view: Send, icon: SendIcon },
  people: { view: People, icon: PeopleIcon },
  connect: { view: Connect, icon: ConnectIcon },
  audit: { view: Audit, icon: AuditIcon },
  server: { view: Server, icon: ServerIcon },
};

export function App() {
  const [changed, setChanged] = useState(false);
  const { invitation } = route.value;
  if (invitation !== '') return <Invitation key={invitation} code={invitation} />;
  const code = resetCode.value;
  if (code !== '') return <Reset code={code} onDone={() => { setChanged(true); location.hash = ''; }} />;
  if (!signedIn.value) return <SignIn changed={changed} />;
  if (me.value === null) return <p class="empty" role="status">{words.loading}</p>;
  if (me.value.totp === 'required') return <MustEnrol />;
  return <Shell key={me.value.id} />;
}

/** managersOnly are the views that operators are not offered. The server makes the decision. */
const managersOnly: readonly View[] = ['audit', 'server'];

function isManager(): boolean {
  return me.value?.companies.some((c) => c.role === 'owner' || c.role === 'admin') ?? false;
}

function Shell() {
  const main = useRef<HTMLElement>(null);
  const shown = route.value.view;
  useEffect(() => {
    start();
    return stop;
  }, []);
  useEffect(() => {
    document.title = words.title(words.nav[shown]);
    main.current?.scrollTo(0, 0);
  }, [shown]);
  const View = pages[shown].view;
  return (
    <div class="shell">
      <a class="skip button" href="#main" onClick={(e) => { e.preventDefault(); main.current?.focus(); }}>{words.skip}</a>
      <header class="top">
        <a class="brand" href={path('live')}><img src={icon} alt="" /><span>{words.brand}</span></a>
        <span class="space" />
        <ConnectionPill />
        <Account />
      </header>
      <nav class="nav" aria-label={words.nav.label}>
        {views.filter((v) => isManager() || !managersOnly.includes(v)).map((v) => {
          const Icon = pages[v].icon;
          return <a key={v} href={path(v)} aria-current={v === shown ? 'page' : undefined}><Icon />{words.nav[v]}</a>;
        })}
      </nav>
      <main class="main" id="main" ref={main} tabIndex={-1} aria-label={words.nav[shown]}>
        <Banners />
        <Guard key={shown}><View /></Guard>
      </main>
    </div>
  );
}

/** Guard keeps the rest of the page when a view breaks. */
class Guard extends Component<{ children: ComponentChildren }, { broken: boolean }> {
  override state = { broken: false };
  override componentDidCatch(e: unknown) {
    console.error(e);
    this.setState({ broken: true });
  }
  override render() {
    if (!this.state.broken) return this.props.children;
    return (
      <div class="empty" role="alert">
        <p>{words.errors.broken}</p>
        <button class="button" onClick={() => this.setState({ broken: false })}>{words.retry}</button>
      </div>
    );
  }
}
