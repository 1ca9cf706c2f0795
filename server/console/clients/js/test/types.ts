// What the types promise, checked by the compiler: each line after @ts-expect-error
// must be an error, and no other line may be.
import Echo from 'laravel-echo';
import type Pusher8 from 'pusher-js';
import type Pusher7 from 'pusher-js-7';
import {
  asEvent, companyChannel, companyUserChannel, echoName, eventNames, isEvent, licenseChannel, listen, presenceOf, Resume,
  stopListening, typed, userChannel,
} from '../src/index.js';
import type {
  AnyEvent, Chat, ChatRef, CompanyEvents, EventMap, EventName, Item, LicenseEvents, Message, Metadata, Payload,
  QuickResponse, UserEvents, UserRef,
} from '../src/index.js';

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
function same<A, B>(..._: Equal<A, B> extends true ? [] : ['not the same type']): void {}

// Each event comes on one kind of channel, the one that its meta describes.
type Of<Meta> = { [E in EventName]: Payload<E>['meta'] extends Meta ? E : never }[EventName];
same<LicenseEvents, Of<{ licenseId: number }>>();
same<CompanyEvents, Of<{ companyId: number }>>();
same<UserEvents, Of<{ userId: string }>>();
same<LicenseEvents | CompanyEvents | UserEvents, EventName>();
same<Payload<'chatTag'>['meta']['type'], 'chatTag'>();
same<Item<'message'>, Message>();
same<Item<'quickResponse'>, QuickResponse>();
// @ts-expect-error same() sees a difference
same<Chat, ChatRef>();

// No type is any: any would be equal only to any.
same<Message['time'], number>();
same<Message['id'], number | string>();
same<Message['utm'], { [k: string]: unknown } | null>();
same<Item<'chatResponsible'>['responsible'], UserRef | null>();

export function pusher(eight: Pusher8, seven: Pusher7): void {
  const channel = typed(eight.subscribe(licenseChannel(1229, 'grWhatsApp')));
  channel
    .bind('message', (data, metadata) => {
      same<typeof data, EventMap['message']>();
      same<typeof metadata, Metadata>();
      const text: string = data.payload.data[0].message.text;
      // @ts-expect-error a second message may be there or not
      const second: Message = data.payload.data[1];
      // @ts-expect-error null when it is not known
      const phone: string = data.payload.data[0].fromUser.phone;
      // @ts-expect-error no such field
      void data.payload.data[0].txet;
      void [text, second, phone];
    })
    .bind('chatRead', () => {})
    .bind('pusher:subscription_error', (fault) => same<typeof fault.status, number | undefined>());
  // @ts-expect-error no such event
  channel.bind('mesage', () => {});
  // @ts-expect-error the handler of another event
  channel.bind('message', (data: EventMap['chatTag']) => void data);
  // @ts-expect-error no such event
  channel.unbind('mesage');
  channel.unbind('message', (data) => void data.payload.meta.licenseId).unbind().unbind_all();
  channel.bind_global((name, data) => {
    same<typeof name, string>();
    same<typeof data, unknown>();
  });

  const company = typed<CompanyEvents>(seven.subscribe(companyChannel(2224)));
  company.bind('employeeStatus', (data) => same<typeof data, EventMap['employeeStatus']>());
  // @ts-expect-error comes on another kind of channel
  company.bind('message', () => {});
  // @ts-expect-error not a channel
  typed({ name: 'private-v1.users.685' });
}

export function echo(echo: Echo<'pusher'>, reverb: Echo<'reverb'>): void {
  const channel = echo.private(echoName(userChannel(685)));
  same<ReturnType<typeof keep>, typeof channel>();
  function keep() {
    return listen(channel, 'quickResponse', (data) => {
      const item = data.payload.data[0];
      if (item.type === 'destroy') {
        // @ts-expect-error only its id is left
        void item.quickResponse.text;
      } else same<typeof item.quickResponse.text, string>();
    });
  }
  listen(reverb.join(echoName(presenceOf(companyChannel(2224)))), 'employeeWorkday', () => {});
  // @ts-expect-error no such event
  listen(channel, '.quickResponse', () => {});
  stopListening(channel, 'quickResponse');
  // @ts-expect-error no such event
  stopListening(channel, 'quick');
}

export function resume(Pusher: typeof Pusher8, Pusher7Class: typeof Pusher7): void {
  const resume = new Resume({ key: 685, storage: 'session', onResumeFailed: (channel, oldest) => {
    same<typeof channel, string>();
    same<typeof oldest, number | null>();
  } });
  const eight = new Pusher('key', {
    cluster: '', channelAuthorization: { transport: 'ajax', endpoint: '/broadcasting/auth', paramsProvider: resume.paramsProvider },
  });
  const seven = new Pusher7Class('key', { auth: resume.auth({ Authorization: 'token' }) });
  resume.follow(seven);
  const stop: () => void = resume.follow(eight);
  resume.follow(new Echo({ broadcaster: 'pusher', key: 'key', cluster: '', auth: resume.auth() }));
  resume.follow(new Echo({ broadcaster: 'reverb', key: 'key', auth: resume.auth({ Authorization: 'token' }, { of: 'the page' }) }));
  // @ts-expect-error Socket.IO is another protocol
  resume.follow(new Echo({ broadcaster: 'socket.io' }));
  new Resume({ storage: localStorage });
  // @ts-expect-error no such storage
  new Resume({ storage: 'cookie' });
  resume.seen(userChannel(685), 7);
  // @ts-expect-error an id is a number
  resume.seen(userChannel(685), '7');
  same<ReturnType<typeof resume.lastEventId>, number | undefined>();
  stop();
}

export function names(name: string, data: unknown): void {
  // @ts-expect-error any string
  void ({} as EventMap)[name];
  if (isEvent(name)) void ({} as EventMap)[name];
  same<ReturnType<typeof asEvent>, AnyEvent | undefined>();
  const event = asEvent(name, data);
  if (event?.name === 'chatTag') same<typeof event.data, EventMap['chatTag']>();
  // @ts-expect-error the list is the package's
  eventNames.push('message');
  // @ts-expect-error an id is a number
  companyUserChannel('2224', 685);
  const own: `private-${string}` = companyUserChannel(2224, 685);
  // @ts-expect-error no private channel
  presenceOf('v1.companies.2224');
  void own;
}
