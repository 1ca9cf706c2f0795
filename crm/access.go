package crm

import (
	"context"
	"errors"

	"chatcast/channels"
	"chatcast/models"
)

var _ channels.Access = (*Service)(nil)

// line is one messenger of one licence, as an actor sees it.
type line struct {
	companyID int64
	licenseID int64
	messenger string
	access    models.Access
}

// need is the access to a line that an action requires.
type need int

const (
	read    need = iota
	send         // messages to customers
	write        // answer customers and work on their chats
	manage       // what concerns the line itself, as its account
	hooks        // manage what is told of its chats elsewhere
	inbound      // deliver what customers write
)

// needed are the rights of a key for an action.
var needed = map[need][]string{
	read: {KeyRead}, send: {KeySend}, write: {KeyRead, KeySend}, manage: {KeyManage}, hooks: {KeyManage, KeyRead}, inbound: {KeyInbound},
}

// line authorises the actor on a line. A line that the actor's company does not
// have is CodeNotFound. A missing right is CodeDenied, so that an employee who may
// not read the licence does not learn what it holds.
func (s *Service) line(tx *models.Tx, a Actor, licenseID int64, messenger string, n need) (*line, error) {
	if !channels.ValidMessenger(messenger) { // a path can hold text that no database takes
		return nil, notFound("license or messenger")
	}
	acc, err := tx.LineAccess(a.UserID, licenseID, messenger)
	if err != nil {
		return nil, orNotFound(err, "license or messenger")
	}
	if err := n.allowed(acc); err != nil {
		return nil, err
	}
	return &line{companyID: acc.CompanyID, licenseID: licenseID, messenger: messenger, access: *acc}, nil
}

// allowed returns nil when the access is enough.
func (n need) allowed(acc *models.Access) error {
	if acc.OfKey() {
		has := map[string]bool{KeyRead: acc.Read, KeySend: acc.Write, KeyManage: acc.Manage, KeyInbound: acc.Inbound}
		for _, right := range needed[n] {
			if !has[right] {
				return lacks(right)
			}
		}
		return nil
	}
	switch {
	case !acc.Read:
		return denied("no access to this license")
	case n != read && !acc.Write:
		return denied("no write access to this license")
	case n >= manage && !acc.Manage: // who manages delivers too
		return denied("only owners and admins may manage a line and deliver its messages")
	}
	return nil
}

// sees reports whether the actor may see a chat: operators who see only their own chats
// see those that they have a part in, and nobody's.
func (l *line) sees(tx *models.Tx, a Actor, chat *models.Chat) (bool, error) {
	if !l.access.OnlyMine || chat.ResponsibleID == nil || *chat.ResponsibleID == a.UserID {
		return true, nil
	}
	return tx.HasPart(chat.ID, a.UserID)
}

// mustSee returns a not-found error for a chat that the actor may not see.
func (l *line) mustSee(tx *models.Tx, a Actor, chat *models.Chat) error {
	sees, err := l.sees(tx, a, chat)
	if err == nil && !sees {
		err = notFound("chat")
	}
	return err
}

// MayReadLine implements channels.Access. An operator who may see only their own
// chats may not enter the line's channel, which carries the events of all chats.
// Their channel is private-v1.companies.{id}.users.{id}.
func (s *Service) MayReadLine(ctx context.Context, userID, licenseID int64, messenger string) (bool, error) {
	acc, err := s.Store.Read(ctx).LineAccess(userID, licenseID, messenger)
	if errors.Is(err, models.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return acc.Read && !acc.OnlyMine, nil
}

// MayPairLine implements channels.Access: keys that may manage the line get its codes, live.
func (s *Service) MayPairLine(ctx context.Context, userID, licenseID int64, messenger string) (bool, error) {
	acc, err := s.Store.Read(ctx).LineAccess(userID, licenseID, messenger)
	if errors.Is(err, models.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return acc.OfKey() && acc.Manage, nil
}

// MayReadLines implements channels.Access: only keys of the whole company may read them.
func (s *Service) MayReadLines(ctx context.Context, userID, companyID int64) (bool, error) {
	return mayReadLines(s.Store.Read(ctx), userID, companyID)
}

func mayReadLines(tx *models.Tx, userID, companyID int64) (bool, error) {
	k, err := tx.KeyOfUser(userID)
	if errors.Is(err, models.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return k.CompanyID == companyID && k.LicenseID == nil && k.CanRead, nil
}

// Employed implements channels.Access.
func (s *Service) Employed(ctx context.Context, userID, companyID int64) (bool, error) {
	_, err := s.Store.Read(ctx).EmployeeOf(companyID, userID)
	if errors.Is(err, models.ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

// seenChat finds a chat that the actor may see, by its id in any spelling. A chat
// that they may not see is CodeNotFound.
func (l *line) seenChat(tx *models.Tx, a Actor, chatID string) (*models.Chat, error) {
	return l.visibleChat(tx, a, chatID, tx.ChatByExternal)
}

// lockChat is like seenChat, and also locks the chat's row for the change.
func (l *line) lockChat(tx *models.Tx, a Actor, chatID string) (*models.Chat, error) {
	return l.visibleChat(tx, a, chatID, tx.LockChat)
}

func (l *line) visibleChat(tx *models.Tx, a Actor, chatID string, find func(int64, string, string) (*models.Chat, error)) (*models.Chat, error) {
	key, err := ParseChatID("chatId", l.messenger, chatID)
	if err != nil {
		return nil, err
	}
	chat, err := find(l.licenseID, l.messenger, key.External)
	if err != nil {
		return nil, orNotFound(err, "chat")
	}
	if err := l.mustSee(tx, a, chat); err != nil {
		return nil, err
	}
	return chat, nil
}
