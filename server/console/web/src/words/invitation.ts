// The words of the page of an invitation, and of the change of a password.
export const invitation = {
  title: 'Invitation',
  lead: (company: string, role: string) => `You are invited to work for ${company} as ${role}.`,
  as: (name: string, email: string) => `You accept as ${name}, ${email}.`,
  another: (invited: string, own: string) => `The invitation is for ${invited}, and you are signed in as ${own}. Sign out to accept it with another account.`,
  none: 'This invitation was accepted or revoked, or has expired. Ask for a new one.',
  toConsole: 'Go to the console',
  name: 'Your name',
  newPassword: 'Choose a password',
  ownPassword: 'The password of your account',
  rule: 'At least 8 characters. Nobody else needs to know it.',
  renew: 'Somebody else chose the password of this account. Choose another one before you join.',
  accept: 'Accept',
  busy: 'Accepting…',
  haveOne: 'I have an account already',
  haveNone: 'I have no account',
};

export const password = {
  title: 'Change the password',
  current: 'Current password',
  next: 'New password',
  effect: 'Your other sessions end.',
  submit: 'Change it',
  done: 'The password is changed.',
};
