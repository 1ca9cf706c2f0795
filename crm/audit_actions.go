package crm

import "slices"

// Actions of the audit log: a noun, and what happened to it.
const (
	AuditSignedIn        = "session.signedIn"
	AuditSignedOut       = "session.signedOut"
	AuditSessionEnded    = "session.ended"   // by its person, from another session
	AuditSessionReused   = "session.reused"  // a refresh token came a second time
	AuditSessionRefused  = "session.refused" // a sign-in failed
	AuditPasswordChanged = "password.changed"
	AuditPasswordReset   = "password.reset"    // with a code
	AuditPasswordCode    = "password.codeMade" // for a reset
	AuditPasswordRefused = "password.refused"  // somebody who is signed in gave a wrong one
	AuditFactorAdded     = "factor.added"
	AuditFactorRemoved   = "factor.removed"
	AuditFactorRefused   = "factor.refused" // somebody who is signed in gave a wrong code
	AuditAccountRenamed  = "account.renamed"
	AuditAccountDisabled = "account.disabled"
	AuditAccountEnabled  = "account.enabled"

	AuditInvitationMade      = "invitation.made"
	AuditInvitationAccepted  = "invitation.accepted"
	AuditInvitationWithdrawn = "invitation.withdrawn"
	AuditEmployeeChanged     = "employee.changed"
	AuditEmployeeRemoved     = "employee.removed"
	AuditEmployeeLeft        = "employee.left"
	AuditCompanyMade         = "company.made"
	AuditCompanyChanged      = "company.changed"

	AuditKeyMade    = "key.made" // for programs
	AuditKeyRevoked = "key.revoked"

	AuditLicenseMade      = "license.made"
	AuditLicenseRenamed   = "license.renamed"
	AuditLicenseRemoved   = "license.removed"
	AuditMessengerAdded   = "messenger.added"
	AuditMessengerRemoved = "messenger.removed"
	AuditLinePairing      = "line.pairing" // somebody asked for a code to pair an account with
	AuditLinePasskey      = "line.passkey" // somebody answered for the account's passkey
	AuditLinePaired       = "line.paired"
	AuditLineLoggedOut    = "line.loggedOut"
	AuditLineReplaced     = "line.replaced" // the account's session was opened elsewhere
	// AuditLinePasskeyCancelled tells of a pairing that was cancelled while it waited for a passkey.
	AuditLinePasskeyCancelled = "line.passkeyCancelled"
	AuditMessageDeleted       = "message.deleted"
	AuditLineSettings         = "line.settings"
	AuditInstanceChanged      = "instance.changed" // what other dialects' clients know of a line
	AuditLineProfile          = "line.profile"     // what people see of its account
	AuditLinePrivacy          = "line.privacy"     // who sees it
	AuditStatusPosted         = "status.posted"
	AuditChatRenamed          = "chat.renamed"
	AuditContactRenamed       = "contact.renamed"
	AuditContactBlocked       = "contact.blocked"
	AuditContactUnblocked     = "contact.unblocked"
	AuditContactsChecked      = "contact.checked" // the messenger was asked whether numbers use it

	AuditGroupMade    = "group.made"
	AuditGroupChanged = "group.changed"
	AuditGroupMembers = "group.membersChanged" // one entry for each of them
	AuditGroupLink    = "group.linkRenewed"
	AuditGroupJoined  = "group.joined"
	AuditGroupLeft    = "group.left"

	AuditCallbackMade        = "callback.made"
	AuditCallbackChanged     = "callback.changed"
	AuditCallbackRemoved     = "callback.removed"
	AuditCallbackRewound     = "callback.rewound"
	AuditCallbackResumed     = "callback.resumed"
	AuditCallbackRotated     = "callback.rotated"     // it has a new secret
	AuditCallbackRedelivered = "callback.redelivered" // one event of it

	AuditAppMade     = "app.made"
	AuditAppChanged  = "app.changed"
	AuditAppEnabled  = "app.enabled"
	AuditAppDisabled = "app.disabled"
	AuditAppRotated  = "app.rotated" // it has a new secret
	AuditAppRemoved  = "app.removed"

	AuditWebhookResumed     = "webhook.resumed"     // of an app
	AuditWebhookRedelivered = "webhook.redelivered" // one delivery of it
)

var auditActions = []string{
	AuditSignedIn, AuditSignedOut, AuditSessionEnded, AuditSessionReused, AuditSessionRefused,
	AuditPasswordChanged, AuditPasswordReset, AuditPasswordCode, AuditPasswordRefused,
	AuditFactorAdded, AuditFactorRemoved, AuditFactorRefused, AuditAccountRenamed, AuditAccountDisabled, AuditAccountEnabled,
	AuditInvitationMade, AuditInvitationAccepted, AuditInvitationWithdrawn,
	AuditEmployeeChanged, AuditEmployeeRemoved, AuditEmployeeLeft, AuditCompanyMade, AuditCompanyChanged,
	AuditKeyMade, AuditKeyRevoked, AuditLicenseMade, AuditLicenseRenamed, AuditLicenseRemoved, AuditMessengerAdded, AuditMessengerRemoved,
	AuditLinePairing, AuditLinePasskey, AuditLinePasskeyCancelled, AuditLinePaired, AuditLineLoggedOut, AuditLineReplaced, AuditLineSettings, AuditLineProfile, AuditLinePrivacy, AuditInstanceChanged, AuditStatusPosted, AuditMessageDeleted,
	AuditChatRenamed, AuditContactRenamed, AuditContactBlocked, AuditContactUnblocked, AuditContactsChecked,
	AuditGroupMade, AuditGroupChanged, AuditGroupMembers, AuditGroupLink, AuditGroupJoined, AuditGroupLeft,
	AuditCallbackMade, AuditCallbackChanged, AuditCallbackRemoved, AuditCallbackRewound, AuditCallbackResumed, AuditCallbackRotated, AuditCallbackRedelivered,
	AuditAppMade, AuditAppChanged, AuditAppEnabled, AuditAppDisabled, AuditAppRotated, AuditAppRemoved,
	AuditWebhookResumed, AuditWebhookRedelivered,
}

// AuditActions lists the actions of the audit log.
func AuditActions() []string { return slices.Clone(auditActions) }

// Types of actors in the audit log.
const (
	ActorUser      = "user"
	ActorKey       = "key"       // a program, with a key of the company
	ActorHost      = "host"      // whoever runs commands on the server's machine, or owns the server
	ActorMessenger = "messenger" // the account's phone, or the messenger itself
	ActorUnknown   = "unknown"   // nobody had signed in
)

// Types of targets in the audit log.
const (
	targetUser       = "user"
	targetSession    = "session"
	targetInvitation = "invitation"
	targetCompany    = "company"
	targetKey        = "key"
	targetLicense    = "license"
	targetLine       = "line" // its id is "1229/grWhatsApp"
	targetMessage    = "message"
	targetChat       = "chat"
	targetContact    = "contact"
	targetGroup      = "group" // its id is that of its chat
	targetCallback   = "callback"
	targetApp        = "app"
)
