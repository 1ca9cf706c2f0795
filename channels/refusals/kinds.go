package refusals

// What is what was refused. It is a label of a metric.
type What string

// What may be refused.
const (
	SignIn        What = "sign_in"        // with e-mail and password, also to accept an invitation
	Refresh       What = "refresh"        // a refresh token
	AccessToken   What = "access_token"   // that of a request to /v1
	EventTicket   What = "event_ticket"   // that of a stream of events
	SecondFactor  What = "second_factor"  // a code, of somebody who is signed in
	OwnPassword   What = "own_password"   // the present password, of somebody who is signed in
	PasswordReset What = "password_reset" // a code for a new password
	Invitation    What = "invitation"     // the code of an invitation
	Connection    What = "connection"     // a socket
	ChannelAuth   What = "channel_auth"   // /broadcasting/auth
	UserAuth      What = "user_auth"      // /broadcasting/user-auth
	Subscription  What = "subscription"   // pusher:subscribe with a signature
	SocketSignIn  What = "socket_sign_in" // pusher:signin
	ClientEvent   What = "client_event"   // from a socket
	Publish       What = "publish"        // over the HTTP API of backends
	Query         What = "query"          // likewise
)

// Reason is why something was refused. It is a label of a metric.
type Reason string

// Reasons.
const (
	WrongPassword Reason = "wrong_password" // or no account with this e-mail
	WrongCode     Reason = "wrong_code"
	Disabled      Reason = "disabled"
	NoCompany     Reason = "no_company" // the user works for none
	Throttled     Reason = "throttled"
	Reused        Reason = "reused" // a refresh token that was exchanged before
	NoToken       Reason = "no_token"
	BadToken      Reason = "bad_token" // unknown, or expired
	BadRequest    Reason = "bad_request"
	Denied        Reason = "denied"
	MustEnrol     Reason = "must_enrol"  // the user must set up a second factor first
	NoSocket      Reason = "no_socket"   // no connection has the socket_id
	OtherOwner    Reason = "other_owner" // the connection is another user's
	Unavailable   Reason = "unavailable"
	BadSignature  Reason = "bad_signature"
	NotSignedIn   Reason = "not_signed_in"
	NotGranted    Reason = "not_granted" // only /broadcasting/auth opens the CRM's channels
	Revoked       Reason = "revoked"
	NotSubscribed Reason = "not_subscribed"
	TooLarge      Reason = "too_large"
	UnknownApp    Reason = "unknown_app"
	BadOrigin     Reason = "bad_origin"
	Full          Reason = "full"  // a limit of sockets was reached
	Other         Reason = "other" // none of those that are listed for it
)

// Kind is one series of the metric.
type Kind struct {
	What   What
	Reason Reason
}

// known lists the reasons for which each What is refused.
var known = map[What][]Reason{
	SignIn:        {WrongPassword, WrongCode, Disabled, NoCompany, Throttled},
	Refresh:       {BadToken, Reused},
	AccessToken:   {NoToken, BadToken, MustEnrol, Denied},
	EventTicket:   {BadToken, MustEnrol},
	SecondFactor:  {WrongCode, Throttled},
	OwnPassword:   {WrongPassword, Throttled},
	PasswordReset: {WrongCode, Throttled},
	Invitation:    {WrongCode, Throttled},
	Connection:    {UnknownApp, Disabled, BadOrigin, Full, BadRequest, NoToken, BadToken},
	ChannelAuth:   {NoToken, BadToken, BadRequest, Denied, NoSocket, OtherOwner, Unavailable},
	UserAuth:      {NoToken, BadToken, BadRequest, Denied, NoSocket, OtherOwner, Unavailable},
	Subscription:  {BadSignature, NotSignedIn, NotGranted, Revoked, Denied},
	SocketSignIn:  {BadSignature, OtherOwner, BadRequest},
	ClientEvent:   {Disabled, NotSubscribed, Denied, TooLarge, Throttled, BadRequest, Unavailable},
	Publish:       {BadSignature, Denied, Disabled, BadRequest, TooLarge, Throttled, Unavailable},
	Query:         {BadSignature, Denied, Disabled, BadRequest, TooLarge, Throttled, Unavailable},
}
