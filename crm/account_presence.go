package crm

import "context"

// PresenceMessenger is a Messenger whose accounts people may see online.
type PresenceMessenger interface {
	Messenger
	// SetPresence shows the account as online, or with false as away unless somebody writes
	// through it.
	SetPresence(ctx context.Context, l Line, online bool) error
}

// Kinds of presence of an account.
const (
	PresenceAvailable   = "available"
	PresenceUnavailable = "unavailable"
)

// SetPresence shows people that a line's account is online, until it is set otherwise or the
// line is served by another process: it is not stored. Only owners and admins may do so. The
// phone does not notify its owner of messages while the account is online here.
func (s *Service) SetPresence(ctx context.Context, a Actor, on Line, kind string) error {
	_, connector, err := s.connectorFor(ctx, a, on, manage)
	if err != nil {
		return err
	}
	if kind != PresenceAvailable && kind != PresenceUnavailable {
		return Invalid("type", "must be available or unavailable")
	}
	to, ok := connector.(PresenceMessenger)
	if !ok || !IsWhatsApp(on.Messenger) {
		return conflict("lines of this type have no account that could be online")
	}
	return to.SetPresence(ctx, on, kind == PresenceAvailable)
}
