// The TypeScript names of the objects in the schemas. The event's own three
// (MessageData, Message, MessageMeta) are named by rule; these are the parts. A key
// is event.path, or the last word of the path if the part is the same in all
// events. An object that is not listed stops the generator, because a type without
// a good name would be called Chat1.
export const names = {
  'message.chat': 'Chat',
  'message.quotedMessage': 'QuotedMessage',
  'messageStatus.chat': 'StatusChat',
  'messageStatus.fromApp': 'StatusApp',
  'messageEdit.error': 'Refusal',
  'contactName.contact': 'ContactRef',
  'contactBlock.contact': 'ContactRef',
  'messengerStatus.ratingReasons': 'RatingReason',
  'chatGroup.group': 'GroupFields',
  'chatGroup.members': 'GroupMember',
  'chatTag.tag': 'Tag',
  'chatTag.tag.category': 'TagCategory',
  'chatConversation.conversation': 'Conversation',
  'chatLevel.level': 'LevelRef',
  'qr.passkey': 'PasskeyStep',
  'qr.passkey.options': 'PasskeyOptions',
  'qr.passkey.options.allowCredentials': 'PasskeyCredential',
  'quickResponse.quickResponseList': 'QuickResponseListRef',
  'quickResponse.quickResponse': 'QuickResponseFields',
  'quickResponse.destroy.quickResponseList': 'QuickResponseListRef',
  'quickResponse.destroy.quickResponse': 'QuickResponseRef',
  'quickResponseList.quickResponseList': 'QuickResponseListFields',
  'quickResponseList.destroy.quickResponseList': 'QuickResponseListRef',
  'quickResponseList.quickResponseList.access': 'QuickResponseListAccess',

  chat: 'ChatRef',
  from: 'ChatRef',
  to: 'ChatRef',
  fromApp: 'AppRef',
  edited: 'UserRef',
  created: 'UserRef',
  responsible: 'UserRef',
  producer: 'UserRef',
  accomplice: 'UserRef',
  auditor: 'UserRef',
  employee: 'UserRef',

  content: 'Content',
  author: 'Author',
  file: 'FileContent',
  location: 'LocationContent',
  contact: 'ContactContent',
  poll: 'PollContent',
  reaction: 'ReactionContent',
  contacts: 'ContactContent',
  vote: 'VoteContent',
  mentions: 'Mention',
};

// The names of parts that are not objects, found by their description.
export const scalars = {
  "The messenger's id: a number or a string, on WhatsApp a string.": 'MessengerId',
};

// The descriptions of shared types for which the schemas have none.
export const descriptions = {
  AppRef: 'The application that caused it, by its id.',
  Author: 'Who wrote a message, as the messenger knows them.',
  Chat: 'The chat of a message.',
  ChatRef: 'A chat, by its id.',
  Content: 'What a message says. Text, caption and file are always there; the others by the kind of the message.',
  Conversation: 'A 24-hour window of WhatsApp.',
  FileContent: 'A file of a message.',
  GroupFields: 'A group of the account, as it is now.',
  GroupMember: 'A member of a group.',
  LevelRef: 'A level of the company, by its id.',
  Mention: 'A person whom a message mentions.',
  QuickResponseFields: 'A quick response, or a folder of them.',
  QuickResponseListAccess: 'Who has access to a list: r reads, w writes.',
  QuickResponseListFields: 'A list of quick responses.',
  QuickResponseListRef: 'A list of quick responses, by its id.',
  QuickResponseRef: 'A quick response, by its id.',
  QuotedMessage: 'The message that was answered: null is what is not known of it.',
  Refusal: 'Why an edit or a deletion was taken back.',
  StatusApp: 'The application that sent the message, and what it gave to know it again.',
  StatusChat: 'The chat of a message that was sent.',
  Tag: 'A tag of the company.',
  TagCategory: 'What a tag belongs to.',
  UserRef: 'A user, by their id.',
};
