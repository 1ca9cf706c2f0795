// Generated from crm/schemas/*.json by "npm run generate". Do not edit.
//
// What a number or a string may be (a pattern, a smallest value) is in the schemas
// alone: the server has them at /schemas/{event}.json.

/**
 * The messenger's id: a number or a string, on WhatsApp a string.
 */
export type MessengerId = number | string;
/**
 * What QuickResponseData lists in payload.data.
 */
export type QuickResponse = QuickResponseSaved | QuickResponseDestroyed;
/**
 * What QuickResponseListData lists in payload.data.
 */
export type QuickResponseList = QuickResponseListSaved | QuickResponseListDestroyed;

/**
 * The data of each event, by its name.
 */
export interface EventMap {
  call: CallData;
  chatAccomplice: ChatAccompliceData;
  chatAuditor: ChatAuditorData;
  chatConversation: ChatConversationData;
  chatGroup: ChatGroupData;
  chatLevel: ChatLevelData;
  chatMerge: ChatMergeData;
  chatName: ChatNameData;
  chatPresence: ChatPresenceData;
  chatProcess: ChatProcessData;
  chatProducer: ChatProducerData;
  chatRead: ChatReadData;
  chatResponsible: ChatResponsibleData;
  chatResponsiblePin: ChatResponsiblePinData;
  chatState: ChatStateData;
  chatStatus: ChatStatusData;
  chatTag: ChatTagData;
  companyTag: CompanyTagData;
  contactBlock: ContactBlockData;
  contactName: ContactNameData;
  employeeStatus: EmployeeStatusData;
  employeeWorkday: EmployeeWorkdayData;
  instance: InstanceData;
  message: MessageData;
  messageDelete: MessageDeleteData;
  messageEdit: MessageEditData;
  messageStatus: MessageStatusData;
  messengerStatus: MessengerStatusData;
  qr: QrData;
  quickResponse: QuickResponseData;
  quickResponseList: QuickResponseListData;
}
/**
 * A step of a call that a person makes to the account of the line.
 */
export interface CallData {
  payload: {
    data: [Call, ...Call[]];
    meta: CallMeta;
  };
}
/**
 * What CallData lists in payload.data.
 */
export interface Call {
  type: 'offer' | 'accept' | 'reject' | 'timeout' | 'terminate';
  /**
   * Of the call, and of its message in the chat.
   */
  id: string;
  chat: ChatRef;
  fromUser: Author;
  video: boolean;
  group: boolean;
  /**
   * Unix seconds.
   */
  time: number;
}
/**
 * A chat, by its id.
 */
export interface ChatRef {
  id: string;
}
/**
 * Who wrote a message, as the messenger knows them.
 */
export interface Author {
  id: MessengerId;
  username: string | null;
  name: string;
  phone: string | null;
  /**
   * WhatsApp's other id of the person, when both are known.
   */
  lid?: string;
}
/**
 * Where CallData belongs.
 */
export interface CallMeta {
  type: 'call';
  licenseId: number;
  messengerType: string;
  /**
   * The event's number in the journal; absent before the relay gave it.
   */
  eventId?: number;
}
/**
 * An accomplice joined a chat or left it.
 */
export interface ChatAccompliceData {
  payload: {
    data: [ChatAccomplice, ...ChatAccomplice[]];
    meta: ChatAccompliceMeta;
  };
}
/**
 * What ChatAccompliceData lists in payload.data.
 */
export interface ChatAccomplice {
  type: 'add' | 'destroy';
  accomplice: UserRef;
  chat: ChatRef;
  fromApp: AppRef | null;
  edited: UserRef | null;
}
/**
 * A user, by their id.
 */
export interface UserRef {
  id: number;
}
/**
 * The application that caused it, by its id.
 */
export interface AppRef {
  id: string;
}
/**
 * Where ChatAccompliceData belongs.
 */
export interface ChatAccompliceMeta {
  type: 'chatAccomplice';
  licenseId: number;
  messengerType: string;
  /**
   * The event's number in the journal; absent before the relay gave it.
   */
  eventId?: number;
}
/**
 * An auditor joined a chat or left it.
 */
export interface ChatAuditorData {
  payload: {
    data: [ChatAuditor, ...ChatAuditor[]];
    meta: ChatAuditorMeta;
  };
}
/**
 * What ChatAuditorData lists in payload.data.
 */
export interface ChatAuditor {
  type: 'add' | 'destroy';
  auditor: UserRef;
  chat: ChatRef;
  fromApp: AppRef | null;
  edited: UserRef | null;
}
/**
 * Where ChatAuditorData belongs.
 */
export interface ChatAuditorMeta {
  type: 'chatAuditor';
  licenseId: number;
  messengerType: string;
  /**
   * The event's number in the journal; absent before the relay gave it.
   */
  eventId?: number;
}
/**
 * The first message of a new 24-hour window opened it (WhatsApp only).
 */
export interface ChatConversationData {
  payload: {
    data: [ChatConversation, ...ChatConversation[]];
    meta: ChatConversationMeta;
  };
}
/**
 * What ChatConversationData lists in payload.data.
 */
export interface ChatConversation {
  conversation: Conversation;
  chat: ChatRef;
}
/**
 * A 24-hour window of WhatsApp.
 */
export interface Conversation {
  id: string;
  /**
   * UIC: the customer opened it; BIC: the business did.
   */
  type: 'UIC' | 'BIC';
  /**
   * Unix seconds.
   */
  startTime: number;
  /**
   * Unix seconds.
   */
  endTime: number;
}
/**
 * Where ChatConversationData belongs.
 */
export interface ChatConversationMeta {
  type: 'chatConversation';
  licenseId: number;
  messengerType: string;
  /**
   * The event's number in the journal; absent before the relay gave it.
   */
  eventId?: number;
}
/**
 * A group of the line's account has changed, on the phone, by another member, or here.
 */
export interface ChatGroupData {
  payload: {
    data: [ChatGroup, ...ChatGroup[]];
    meta: ChatGroupMeta;
  };
}
/**
 * What ChatGroupData lists in payload.data.
 */
export interface ChatGroup {
  /**
   * join and leave are of the line's account, add to demote of members; link: people join by another link now, which L/groups/{groupId}/link has.
   */
  type:
    | 'join'
    | 'leave'
    | 'delete'
    | 'add'
    | 'remove'
    | 'promote'
    | 'demote'
    | 'name'
    | 'description'
    | 'announce'
    | 'locked'
    | 'ephemeral'
    | 'picture'
    | 'link';
  chat: ChatRef;
  /**
   * The group after the change; null: not known.
   */
  group: GroupFields | null;
  /**
   * Whom it happened to; empty when it is no change of members.
   */
  members: GroupMember[];
  /**
   * Who did it outside; null: not known, or an employee did it here.
   */
  by: Author | null;
  /**
   * Unix seconds.
   */
  time: number;
  fromApp: AppRef | null;
  edited: UserRef | null;
}
/**
 * A group of the account, as it is now.
 */
export interface GroupFields {
  name: string;
  description: string;
  /**
   * Only admins may write.
   */
  announce: boolean;
  /**
   * Only admins may change the name, the description and the settings.
   */
  locked: boolean;
  /**
   * Seconds after which messages disappear; 0: never.
   */
  ephemeral: number;
  /**
   * How many members it has.
   */
  size: number;
  /**
   * Of the line's account; null: it is not in the group.
   */
  role: 'member' | 'admin' | 'owner' | null;
  /**
   * With join, when it is known.
   */
  ownerId?: string;
  /**
   * Unix seconds; with join, when it is known.
   */
  createdAt?: number;
  /**
   * With join, in groups of at most 256.
   *
   * @minItems 1
   */
  members?: [GroupMember, ...GroupMember[]];
}
/**
 * A member of a group.
 */
export interface GroupMember {
  id: string;
  lid: string | null;
  phone: string | null;
  /**
   * Empty: L/groups/{groupId} has the names of contacts, for those who may see them.
   */
  name: string;
  role: 'member' | 'admin' | 'owner';
}
/**
 * Where ChatGroupData belongs.
 */
export interface ChatGroupMeta {
  type: 'chatGroup';
  licenseId: number;
  messengerType: string;
  /**
   * The event's number in the journal; absent before the relay gave it.
   */
  eventId?: number;
}
/**
 * A chat got a level, or its level was reset (null).
 */
export interface ChatLevelData {
  payload: {
    data: [ChatLevel, ...ChatLevel[]];
    meta: ChatLevelMeta;
  };
}
/**
 * What ChatLevelData lists in payload.data.
 */
export interface ChatLevel {
  level: LevelRef | null;
  chat: ChatRef;
  fromApp: AppRef | null;
  edited: UserRef | null;
}
/**
 * A level of the company, by its id.
 */
export interface LevelRef {
  id: number;
}
/**
 * Where ChatLevelData belongs.
 */
export interface ChatLevelMeta {
  type: 'chatLevel';
  licenseId: number;
  messengerType: string;
  /**
   * The event's number in the journal; absent before the relay gave it.
   */
  eventId?: number;
}
/**
 * Two chats turned out to be one person's, or a chat is known by another id now: what was from is to from now on, which has everything of both.
 */
export interface ChatMergeData {
  payload: {
    data: [ChatMerge, ...ChatMerge[]];
    meta: ChatMergeMeta;
  };
}
/**
 * What ChatMergeData lists in payload.data.
 */
export interface ChatMerge {
  from: ChatRef;
  to: ChatRef;
}
/**
 * Where ChatMergeData belongs.
 */
export interface ChatMergeMeta {
  type: 'chatMerge';
  licenseId: number;
  messengerType: string;
  /**
   * The event's number in the journal; absent before the relay gave it.
   */
  eventId?: number;
}
/**
 * A chat has another name, because an employee gave it one or took it back.
 */
export interface ChatNameData {
  payload: {
    data: [ChatName, ...ChatName[]];
    meta: ChatNameMeta;
  };
}
/**
 * What ChatNameData lists in payload.data.
 */
export interface ChatName {
  name: string;
  chat: ChatRef;
  fromApp: AppRef | null;
  edited: UserRef | null;
}
/**
 * Where ChatNameData belongs.
 */
export interface ChatNameMeta {
  type: 'chatName';
  licenseId: number;
  messengerType: string;
  /**
   * The event's number in the journal; absent before the relay gave it.
   */
  eventId?: number;
}
/**
 * A customer is typing or recording, or has stopped; or has come online or gone. It goes to the sockets alone, never into the journal.
 */
export interface ChatPresenceData {
  payload: {
    data: [ChatPresence, ...ChatPresence[]];
    meta: ChatPresenceMeta;
  };
}
/**
 * What ChatPresenceData lists in payload.data.
 */
export interface ChatPresence {
  type: 'typing' | 'recording' | 'paused' | 'online' | 'offline';
  chat: ChatRef;
  fromUser: Author;
  /**
   * Of offline: when the person was there last, unix seconds. Null: not known, or hidden.
   */
  lastSeen: number | null;
  /**
   * Unix seconds.
   */
  time: number;
}
/**
 * Where ChatPresenceData belongs.
 */
export interface ChatPresenceMeta {
  type: 'chatPresence';
  licenseId: number;
  messengerType: string;
}
/**
 * A chat was taken into work, or laid aside (null).
 */
export interface ChatProcessData {
  payload: {
    data: [ChatProcess, ...ChatProcess[]];
    meta: ChatProcessMeta;
  };
}
/**
 * What ChatProcessData lists in payload.data.
 */
export interface ChatProcess {
  process: 'inWork' | null;
  chat: ChatRef;
  fromApp: AppRef | null;
  edited: UserRef | null;
}
/**
 * Where ChatProcessData belongs.
 */
export interface ChatProcessMeta {
  type: 'chatProcess';
  licenseId: number;
  messengerType: string;
  /**
   * The event's number in the journal; absent before the relay gave it.
   */
  eventId?: number;
}
/**
 * A chat got a producer, or lost it (null).
 */
export interface ChatProducerData {
  payload: {
    data: [ChatProducer, ...ChatProducer[]];
    meta: ChatProducerMeta;
  };
}
/**
 * What ChatProducerData lists in payload.data.
 */
export interface ChatProducer {
  producer: UserRef | null;
  chat: ChatRef;
  fromApp: AppRef | null;
  edited: UserRef | null;
}
/**
 * Where ChatProducerData belongs.
 */
export interface ChatProducerMeta {
  type: 'chatProducer';
  licenseId: number;
  messengerType: string;
  /**
   * The event's number in the journal; absent before the relay gave it.
   */
  eventId?: number;
}
/**
 * The unread messages of a chat were read.
 */
export interface ChatReadData {
  payload: {
    data: [ChatRead, ...ChatRead[]];
    meta: ChatReadMeta;
  };
}
/**
 * What ChatReadData lists in payload.data.
 */
export interface ChatRead {
  chat: ChatRef;
  edited: UserRef | null;
}
/**
 * Where ChatReadData belongs.
 */
export interface ChatReadMeta {
  type: 'chatRead';
  licenseId: number;
  messengerType: string;
  /**
   * The event's number in the journal; absent before the relay gave it.
   */
  eventId?: number;
}
/**
 * A chat got a responsible employee, or became no one's (null).
 */
export interface ChatResponsibleData {
  payload: {
    data: [ChatResponsible, ...ChatResponsible[]];
    meta: ChatResponsibleMeta;
  };
}
/**
 * What ChatResponsibleData lists in payload.data.
 */
export interface ChatResponsible {
  responsible: UserRef | null;
  chat: ChatRef;
  fromApp: AppRef | null;
  edited: UserRef | null;
}
/**
 * Where ChatResponsibleData belongs.
 */
export interface ChatResponsibleMeta {
  type: 'chatResponsible';
  licenseId: number;
  messengerType: string;
  /**
   * The event's number in the journal; absent before the relay gave it.
   */
  eventId?: number;
}
/**
 * The responsible of a chat was pinned or unpinned.
 */
export interface ChatResponsiblePinData {
  payload: {
    data: [ChatResponsiblePin, ...ChatResponsiblePin[]];
    meta: ChatResponsiblePinMeta;
  };
}
/**
 * What ChatResponsiblePinData lists in payload.data.
 */
export interface ChatResponsiblePin {
  type: 'pin' | 'unpin';
  chat: ChatRef;
  edited: UserRef | null;
}
/**
 * Where ChatResponsiblePinData belongs.
 */
export interface ChatResponsiblePinMeta {
  type: 'chatResponsiblePin';
  licenseId: number;
  messengerType: string;
  /**
   * The event's number in the journal; absent before the relay gave it.
   */
  eventId?: number;
}
/**
 * The phone of the line's account arranges a chat in another way: the archive, the top of the list, the sound, the mark as unread.
 */
export interface ChatStateData {
  payload: {
    data: [ChatState, ...ChatState[]];
    meta: ChatStateMeta;
  };
}
/**
 * What ChatStateData lists in payload.data.
 */
export interface ChatState {
  chat: ChatRef;
  state: ChatStateFields;
  fromApp: AppRef | null;
  edited: UserRef | null;
}
/**
 * How the phone arranges it now.
 */
export interface ChatStateFields {
  archived: boolean;
  pinned: boolean;
  /**
   * It is marked as unread, whatever was read.
   */
  unread: boolean;
  /**
   * Unix seconds until which new messages make no sound; -1: for ever; null: they do.
   */
  mutedUntil: number | null;
}
/**
 * Where ChatStateData belongs.
 */
export interface ChatStateMeta {
  type: 'chatState';
  licenseId: number;
  messengerType: string;
  /**
   * The event's number in the journal; absent before the relay gave it.
   */
  eventId?: number;
}
/**
 * A chat was opened or closed.
 */
export interface ChatStatusData {
  payload: {
    data: [ChatStatus, ...ChatStatus[]];
    meta: ChatStatusMeta;
  };
}
/**
 * What ChatStatusData lists in payload.data.
 */
export interface ChatStatus {
  type: 'open' | 'close';
  chat: ChatRef;
  edited: UserRef | null;
}
/**
 * Where ChatStatusData belongs.
 */
export interface ChatStatusMeta {
  type: 'chatStatus';
  licenseId: number;
  messengerType: string;
  /**
   * The event's number in the journal; absent before the relay gave it.
   */
  eventId?: number;
}
/**
 * A tag was put on a chat or taken off.
 */
export interface ChatTagData {
  payload: {
    data: [ChatTag, ...ChatTag[]];
    meta: ChatTagMeta;
  };
}
/**
 * What ChatTagData lists in payload.data.
 */
export interface ChatTag {
  type: 'add' | 'destroy';
  tag: Tag;
  chat: ChatRef;
  edited: UserRef | null;
}
/**
 * A tag of the company.
 */
export interface Tag {
  id: number;
  name: string;
  color: string;
  sort: number;
  category: TagCategory | null;
}
/**
 * What a tag belongs to.
 */
export interface TagCategory {
  id: number;
  name: string;
  sort: number;
}
/**
 * Where ChatTagData belongs.
 */
export interface ChatTagMeta {
  type: 'chatTag';
  licenseId: number;
  messengerType: string;
  /**
   * The event's number in the journal; absent before the relay gave it.
   */
  eventId?: number;
}
/**
 * The company has another tag, or one fewer, or one of them was changed.
 */
export interface CompanyTagData {
  payload: {
    data: [CompanyTag, ...CompanyTag[]];
    meta: CompanyTagMeta;
  };
}
/**
 * What CompanyTagData lists in payload.data.
 */
export interface CompanyTag {
  type: 'create' | 'edit' | 'destroy';
  tag: TagCard;
  fromApp: AppRef | null;
  edited: UserRef | null;
}
/**
 * A tag of the company, without its category.
 */
export interface TagCard {
  id: number;
  name: string;
  color: string;
}
/**
 * Where CompanyTagData belongs.
 */
export interface CompanyTagMeta {
  type: 'companyTag';
  companyId: number;
  /**
   * The event's number in the journal; absent before the relay gave it.
   */
  eventId?: number;
}
/**
 * The account of the line has blocked a contact, or blocks it no longer.
 */
export interface ContactBlockData {
  payload: {
    data: [ContactBlock, ...ContactBlock[]];
    meta: ContactBlockMeta;
  };
}
/**
 * What ContactBlockData lists in payload.data.
 */
export interface ContactBlock {
  blocked: boolean;
  contact: ContactRef;
  fromApp: AppRef | null;
  edited: UserRef | null;
}
export interface ContactRef {
  id: string | number;
}
/**
 * Where ContactBlockData belongs.
 */
export interface ContactBlockMeta {
  type: 'contactBlock';
  licenseId: number;
  messengerType: string;
  /**
   * The event's number in the journal; absent before the relay gave it.
   */
  eventId?: number;
}
/**
 * A contact has another name, because an employee gave it one or took it back.
 */
export interface ContactNameData {
  payload: {
    data: [ContactName, ...ContactName[]];
    meta: ContactNameMeta;
  };
}
/**
 * What ContactNameData lists in payload.data.
 */
export interface ContactName {
  name: string;
  contact: ContactRef;
  fromApp: AppRef | null;
  edited: UserRef | null;
}
/**
 * Where ContactNameData belongs.
 */
export interface ContactNameMeta {
  type: 'contactName';
  licenseId: number;
  messengerType: string;
  /**
   * The event's number in the journal; absent before the relay gave it.
   */
  eventId?: number;
}
/**
 * An employee came online or went offline.
 */
export interface EmployeeStatusData {
  payload: {
    data: [EmployeeStatus, ...EmployeeStatus[]];
    meta: EmployeeStatusMeta;
  };
}
/**
 * What EmployeeStatusData lists in payload.data.
 */
export interface EmployeeStatus {
  type: 'online' | 'offline';
  employee: UserRef;
}
/**
 * Where EmployeeStatusData belongs.
 */
export interface EmployeeStatusMeta {
  type: 'employeeStatus';
  companyId: number;
  /**
   * The event's number in the journal; absent before the relay gave it.
   */
  eventId?: number;
}
/**
 * An employee started or ended the workday.
 */
export interface EmployeeWorkdayData {
  payload: {
    data: [EmployeeWorkday, ...EmployeeWorkday[]];
    meta: EmployeeWorkdayMeta;
  };
}
/**
 * What EmployeeWorkdayData lists in payload.data.
 */
export interface EmployeeWorkday {
  type: 'start' | 'end';
  employee: UserRef;
}
/**
 * Where EmployeeWorkdayData belongs.
 */
export interface EmployeeWorkdayMeta {
  type: 'employeeWorkday';
  companyId: number;
  /**
   * The event's number in the journal; absent before the relay gave it.
   */
  eventId?: number;
}
/**
 * A line was made, or was deleted. Each line has an instance, which other dialects name it by.
 */
export interface InstanceData {
  payload: {
    data: [Instance, ...Instance[]];
    meta: InstanceMeta;
  };
}
/**
 * What InstanceData lists in payload.data.
 */
export interface Instance {
  type: 'create' | 'destroy';
  instance: InstanceRef;
  /**
   * Unix seconds.
   */
  time: number;
  fromApp: AppRef | null;
  edited: UserRef | null;
}
export interface InstanceRef {
  id: string;
  name: string;
}
/**
 * Where InstanceData belongs.
 */
export interface InstanceMeta {
  type: 'instance';
  licenseId: number;
  messengerType: string;
  /**
   * The event's number in the journal; absent before the relay gave it.
   */
  eventId?: number;
}
/**
 * A message came in or was sent.
 */
export interface MessageData {
  payload: {
    data: [Message, ...Message[]];
    meta: MessageMeta;
  };
}
/**
 * What MessageData lists in payload.data.
 */
export interface Message {
  id: MessengerId;
  fromApi: boolean;
  fromMe: boolean;
  side: 'in' | 'out';
  /**
   * Unix seconds.
   */
  time: number;
  isForwarded: boolean;
  type: string;
  subtype: string | null;
  message: Content;
  quotedMessage: QuotedMessage | null;
  fromUser: Author;
  chat: Chat;
  fromApp: AppRef | null;
  utm: {
    [k: string]: unknown;
  } | null;
  created: UserRef | null;
  /**
   * It is the first message of its chat; absent: it is not.
   */
  newChat?: true;
  /**
   * How many messages of the chat are unread now; absent: this changed nothing.
   */
  unread?: number;
  /**
   * What the message is the first to tell of its author: new to the line, or another name; absent: nothing.
   */
  contactChange?: 'new' | 'changed';
}
/**
 * What a message says. Text, caption and file are always there; the others by the kind of the message.
 */
export interface Content {
  text: string;
  caption: string;
  file: FileContent | null;
  /**
   * How text is marked up; absent: not at all.
   */
  parseMode?: 'markdown' | 'html';
  location?: LocationContent;
  contact?: ContactContent;
  poll?: PollContent;
  reaction?: ReactionContent;
  /**
   * All of them, when a message tells of several people; contact is the first.
   *
   * @minItems 1
   */
  contacts?: [ContactContent, ...ContactContent[]];
  vote?: VoteContent;
  /**
   * Who is mentioned in the text or the caption; there they stand as @ and the digits of their phone or LID.
   *
   * @minItems 1
   */
  mentions?: [Mention, ...Mention[]];
  choice?: ChoiceContent;
  invite?: InviteContent;
  /**
   * After how many seconds the message disappears from phones.
   */
  expiration?: number;
  /**
   * How the messenger named people when the message arrived: by number or by hidden id; absent: not known.
   */
  addressing?: 'pn' | 'lid';
  /**
   * What a message of the type unknown says, as the messenger has it.
   */
  original?: {
    [k: string]: unknown;
  };
}
/**
 * A file of a message.
 */
export interface FileContent {
  link: string;
  name: string;
  /**
   * Bytes; null: not known.
   */
  size: number | null;
  mimeType: string | null;
  /**
   * Why the link has nothing yet; absent: the file is there.
   */
  state?: 'pending' | 'failed' | 'expired' | 'tooLarge';
  /**
   * Pixels of a picture or film; absent: not known.
   */
  width?: number;
  height?: number;
  /**
   * Seconds of a film or sound; absent: not known.
   */
  duration?: number;
  /**
   * A small JPEG as base64, to show before the file is opened.
   */
  thumbnail?: string;
  /**
   * How loud a voice message is, as base64.
   */
  waveform?: string;
  /**
   * Of a document.
   */
  pages?: number;
  /**
   * Of a sticker; absent: it is not.
   */
  animated?: boolean;
}
export interface LocationContent {
  latitude: number;
  longitude: number;
  name: string;
  address: string;
  /**
   * Metres, of a live location.
   */
  accuracy?: number;
  /**
   * Metres in a second, of a live location.
   */
  speed?: number;
  /**
   * It grows with each place of a live location.
   */
  sequence?: number;
}
export interface ContactContent {
  name: string;
  phone: string;
  /**
   * All numbers, when there are several; phone is one of them.
   *
   * @minItems 1
   */
  phones?: [string, ...string[]];
  /**
   * The whole card as its sender has it; absent: not known, or too long.
   */
  vcard?: string;
}
export interface PollContent {
  question: string;
  options: [string, string, ...string[]];
  multiple: boolean;
  /**
   * How many may be chosen, when several may be; absent: any number.
   */
  most?: number;
}
export interface ReactionContent {
  messageId: MessengerId;
  emoji: string;
  origin?: MessageOrigin;
}
/**
 * A message that another one, or an event, is about.
 */
export interface MessageOrigin {
  fromMe: boolean;
  /**
   * Unix seconds.
   */
  time: number;
  type: string;
  fromUser: Author;
}
/**
 * A vote in a poll: all that is chosen now, nothing when it was taken back.
 */
export interface VoteContent {
  messageId: MessengerId;
  options: string[];
  origin?: MessageOrigin;
}
/**
 * A person whom a message mentions.
 */
export interface Mention {
  id: MessengerId;
  phone: string | null;
  /**
   * WhatsApp's other id of the person, when both are known.
   */
  lid?: string;
}
/**
 * The button or the row of a list whose label the text is.
 */
export interface ChoiceContent {
  id: string;
}
/**
 * An invitation to a group.
 */
export interface InviteContent {
  groupId: string;
  code: string;
  /**
   * Unix seconds.
   */
  expires?: number;
  name: string;
  caption: string;
}
/**
 * The message that was answered: null is what is not known of it.
 */
export interface QuotedMessage {
  id: MessengerId;
  internalId: number | null;
  fromMe: boolean | null;
  side: ('in' | 'out') | null;
  time: number | null;
  type: string | null;
  message: Content | null;
  fromUser: Author | null;
}
/**
 * The chat of a message.
 */
export interface Chat {
  id: string;
  /**
   * WhatsApp's other id of the chat, when both are known.
   */
  lid?: string;
  hash: string;
  type: 'private' | 'group' | 'channel';
  phone: string | null;
  username: string | null;
  name: string;
  image: string | null;
}
/**
 * Where MessageData belongs.
 */
export interface MessageMeta {
  type: 'message';
  licenseId: number;
  messengerType: string;
  /**
   * The event's number in the journal; absent before the relay gave it.
   */
  eventId?: number;
}
/**
 * A message was deleted for all.
 */
export interface MessageDeleteData {
  payload: {
    data: [MessageDelete, ...MessageDelete[]];
    meta: MessageDeleteMeta;
  };
}
/**
 * What MessageDeleteData lists in payload.data.
 */
export interface MessageDelete {
  id: MessengerId;
  /**
   * Unix seconds.
   */
  time: number;
  chat: ChatRef;
  fromApp: AppRef | null;
  edited: UserRef | null;
  origin?: MessageOrigin;
}
/**
 * Where MessageDeleteData belongs.
 */
export interface MessageDeleteMeta {
  type: 'messageDelete';
  licenseId: number;
  messengerType: string;
  /**
   * The event's number in the journal; absent before the relay gave it.
   */
  eventId?: number;
}
/**
 * A message says something else now: its author edited it, what could not be read before can be, its file has come, or an edit or deletion of ours failed and was taken back.
 */
export interface MessageEditData {
  payload: {
    data: [MessageEdit, ...MessageEdit[]];
    meta: MessageEditMeta;
  };
}
/**
 * What MessageEditData lists in payload.data.
 */
export interface MessageEdit {
  id: MessengerId;
  type: string;
  message: Content;
  /**
   * Unix seconds.
   */
  time: number;
  chat: ChatRef;
  fromApp: AppRef | null;
  edited: UserRef | null;
  /**
   * Why an edit or a deletion of ours failed: the message says again what it said before. Null otherwise.
   */
  error: Refusal | null;
  /**
   * Why the content is another one when nobody edited it: the file was fetched or could not be; or the message could not be decrypted before. Absent: it was edited.
   */
  cause?: 'file' | 'arrived';
  origin?: MessageOrigin;
  arrived?: ArrivedMessage;
}
/**
 * Why an edit or a deletion was taken back.
 */
export interface Refusal {
  /**
   * For a program: deadline, rejected, logged_out, ...
   */
  code: string;
  /**
   * A sentence for a person.
   */
  message: string;
}
/**
 * The whole message, with the cause arrived, and with the edit of one that could not be read before.
 */
export interface ArrivedMessage {
  id: MessengerId;
  fromApi: boolean;
  fromMe: boolean;
  side: 'in' | 'out';
  /**
   * Unix seconds.
   */
  time: number;
  isForwarded: boolean;
  type: string;
  subtype: string | null;
  message: Content;
  quotedMessage: QuotedMessage | null;
  fromUser: Author;
  chat: Chat;
  fromApp: AppRef | null;
  utm: {
    [k: string]: unknown;
  } | null;
  created: UserRef | null;
}
/**
 * Where MessageEditData belongs.
 */
export interface MessageEditMeta {
  type: 'messageEdit';
  licenseId: number;
  messengerType: string;
  /**
   * The event's number in the journal; absent before the relay gave it.
   */
  eventId?: number;
}
/**
 * A message that we sent has got further, or has failed.
 */
export interface MessageStatusData {
  payload: {
    data: [MessageStatus, ...MessageStatus[]];
    meta: MessageStatusMeta;
  };
}
/**
 * What MessageStatusData lists in payload.data.
 */
export interface MessageStatus {
  id: MessengerId;
  type: 'sent' | 'delivered' | 'viewed' | 'failed';
  chat: StatusChat;
  fromApp: StatusApp | null;
  /**
   * Why it failed; null otherwise.
   */
  error:
    | {
        [k: string]: unknown;
      }
    | string
    | null;
  /**
   * Unix seconds.
   */
  time: number;
  /**
   * Of a viewed message, which was told before: it was listened to or watched, too. Absent otherwise.
   */
  played?: true;
}
/**
 * The chat of a message that was sent.
 */
export interface StatusChat {
  id: string;
  hash: string;
  type: 'private' | 'group' | 'channel';
  phone: string | null;
  username: string | null;
}
/**
 * The application that sent the message, and what it gave to know it again.
 */
export interface StatusApp {
  id: string;
  tracking: string | null;
}
/**
 * Where MessageStatusData belongs.
 */
export interface MessageStatusMeta {
  type: 'messageStatus';
  licenseId: number;
  messengerType: string;
  /**
   * The event's number in the journal; absent before the relay gave it.
   */
  eventId?: number;
}
/**
 * A line with an account of its own stands otherwise now.
 */
export interface MessengerStatusData {
  payload: {
    data: [MessengerStatus, ...MessengerStatus[]];
    meta: MessengerStatusMeta;
  };
}
/**
 * What MessengerStatusData lists in payload.data.
 */
export interface MessengerStatus {
  state:
    | 'disconnected'
    | 'pairing'
    | 'passkey'
    | 'connecting'
    | 'connected'
    | 'logged_out'
    | 'banned_until'
    | 'replaced'
    | 'outdated';
  connected: boolean;
  /**
   * Of the paired account, digits alone.
   */
  phone: string | null;
  /**
   * A sentence for a person.
   */
  detail: string;
  /**
   * When a ban ends, in unix seconds; null: there is none, or nobody knows.
   */
  bannedUntil: number | null;
  /**
   * Until when the account may not write to strangers, in unix seconds: first messages wait until then, answers are sent; null: it may.
   */
  restrictedUntil: number | null;
  /**
   * How safely the account may write to strangers: careful, slowly; stop, not now.
   */
  rating: 'ok' | 'careful' | 'stop';
  /**
   * Why, the most important first; empty when the rating is ok.
   */
  ratingReasons: RatingReason[];
  /**
   * Unix seconds.
   */
  time: number;
  /**
   * The state before; absent: it is the same. When lostSince is new it is there in any case.
   */
  was?:
    | 'disconnected'
    | 'pairing'
    | 'passkey'
    | 'connecting'
    | 'connected'
    | 'logged_out'
    | 'banned_until'
    | 'replaced'
    | 'outdated'
    | 'not_set_up';
  /**
   * Since when the account is not connected, in unix seconds, once that has taken a minute. Until it is connected, the state is disconnected, however often it is tried.
   */
  lostSince?: number;
  edited?: UserRef;
}
export interface RatingReason {
  /**
   * For a program: locked, strangers, undelivered and others.
   */
  code: string;
  /**
   * What this reason alone makes of the line.
   */
  rating: 'careful' | 'stop';
  /**
   * A sentence for a person.
   */
  message: string;
}
/**
 * Where MessengerStatusData belongs.
 */
export interface MessengerStatusMeta {
  type: 'messengerStatus';
  licenseId: number;
  messengerType: string;
  /**
   * The event's number in the journal; absent before the relay gave it.
   */
  eventId?: number;
}
/**
 * What to show to pair an account. It lives for seconds, so it goes to the sockets alone: the journal does not have it, and it has no eventId.
 */
export interface QrData {
  payload: {
    data: [Qr, ...Qr[]];
    meta: QrMeta;
  };
}
/**
 * What QrData lists in payload.data.
 */
export interface Qr {
  /**
   * The text to show as a QR code.
   */
  qr: string | null;
  /**
   * To type into the phone.
   */
  code: string | null;
  /**
   * Unix seconds.
   */
  expiresAt: number;
  /**
   * In the state passkey: confirm the pairing with the account's passkey.
   */
  passkey: PasskeyStep | null;
  /**
   * qr as a data URL of a PNG; absent when there is none.
   */
  picture?: string;
}
export interface PasskeyStep {
  /**
   * For navigator.credentials.get, on a page of the origin; null: they were used.
   */
  options: PasskeyOptions | null;
  /**
   * Of the page on which the passkey must be used.
   */
  origin: string;
  /**
   * To compare with the code on the phone; null: there is none to compare.
   */
  code: string | null;
}
export interface PasskeyOptions {
  /**
   * Base64url.
   */
  challenge: string;
  /**
   * Milliseconds.
   */
  timeout: number;
  rpId: string;
  allowCredentials: PasskeyCredential[];
  userVerification: string;
  extensions: {
    [k: string]: unknown;
  };
}
export interface PasskeyCredential {
  /**
   * Base64url.
   */
  id: string;
  type: string;
  transports: string[];
}
/**
 * Where QrData belongs.
 */
export interface QrMeta {
  type: 'qr';
  licenseId: number;
  messengerType: string;
}
/**
 * Quick responses were made, edited or destroyed.
 */
export interface QuickResponseData {
  payload: {
    data: [QuickResponse, ...QuickResponse[]];
    meta: QuickResponseMeta;
  };
}
export interface QuickResponseSaved {
  type: 'create' | 'edit';
  quickResponseList: QuickResponseListRef;
  quickResponse: QuickResponseFields;
}
/**
 * A list of quick responses, by its id.
 */
export interface QuickResponseListRef {
  id: number;
}
/**
 * A quick response, or a folder of them.
 */
export interface QuickResponseFields {
  id: number;
  name: string;
  sort: number;
  parent: number | null;
  text: string;
  keywords: string;
  enableAI: boolean;
}
export interface QuickResponseDestroyed {
  type: 'destroy';
  quickResponseList: QuickResponseListRef;
  quickResponse: QuickResponseRef;
}
/**
 * A quick response, by its id.
 */
export interface QuickResponseRef {
  id: number;
}
/**
 * Where QuickResponseData belongs.
 */
export interface QuickResponseMeta {
  type: 'quickResponse';
  userId: string;
  /**
   * The event's number in the journal; absent before the relay gave it.
   */
  eventId?: number;
}
/**
 * A list of quick responses was made, edited or destroyed, as its user sees it.
 */
export interface QuickResponseListData {
  payload: {
    data: [QuickResponseList, ...QuickResponseList[]];
    meta: QuickResponseListMeta;
  };
}
export interface QuickResponseListSaved {
  type: 'create' | 'edit';
  quickResponseList: QuickResponseListFields;
}
/**
 * A list of quick responses.
 */
export interface QuickResponseListFields {
  id: number;
  name: string;
  sort: number;
  access: [QuickResponseListAccess, ...QuickResponseListAccess[]];
}
/**
 * Who has access to a list: r reads, w writes.
 */
export interface QuickResponseListAccess {
  userId: string;
  email: string;
  permission: 'r' | 'w';
}
export interface QuickResponseListDestroyed {
  type: 'destroy';
  quickResponseList: QuickResponseListRef;
}
/**
 * Where QuickResponseListData belongs.
 */
export interface QuickResponseListMeta {
  type: 'quickResponseList';
  userId: string;
  /**
   * The event's number in the journal; absent before the relay gave it.
   */
  eventId?: number;
}
