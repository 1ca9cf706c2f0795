package crm

import (
	"context"

	"chatcast/models"
)

const maxSearch = 100 // characters

// ChatQuery selects a page of chats, the latest activity first. Zero fields do
// not filter.
type ChatQuery struct {
	PageQuery
	CompanyID     int64  // for AllChats
	Status        string // open or close
	Type          string // private, group or channel
	ResponsibleID *int64
	NoResponsible bool // only chats without a responsible
	TagID         int64
	Unread        *bool
	Search        string // each word of it is a part of the name, phone, username or id, see models.Fold
	LastTime      *int64 // unix seconds: only chats whose last activity is not after it
}

func (q ChatQuery) filter(a Actor) (models.ChatFilter, error) {
	after, limit, err := q.start("chats", 2)
	statusViolation := error(nil)
	if q.Status != "" && q.Status != models.ChatOpen && q.Status != models.ChatClose {
		statusViolation = Invalid("status", "must be open or close")
	}
	if err := allViolations(err, statusViolation, checkText("search", q.Search, maxSearch)); err != nil {
		return models.ChatFilter{}, err
	}
	f := models.ChatFilter{
		ViewerID: a.UserID, Status: q.Status, Type: q.Type, ResponsibleID: q.ResponsibleID, NoResponsible: q.NoResponsible,
		TagID: q.TagID, Unread: q.Unread, LastTime: q.LastTime, Search: q.Search, Limit: limit + 1,
	}
	if after != nil {
		f.After = &models.TimeKey{Time: after[0], ID: after[1]}
	}
	return f, nil
}

// Chats lists the chats of a line that the actor may see.
func (s *Service) Chats(ctx context.Context, a Actor, on Line, q ChatQuery) (Page[ChatData], error) {
	tx := s.Store.Read(ctx)
	l, err := s.line(tx, a, on.LicenseID, on.Messenger, read)
	if err != nil {
		return Page[ChatData]{}, err
	}
	f, err := q.filter(a)
	if err != nil {
		return Page[ChatData]{}, err
	}
	f.LicenseID, f.MessengerType, f.OnlyMine = on.LicenseID, on.Messenger, l.access.OnlyMine
	return s.chatPage(ctx, tx, f)
}

// AllChats lists the chats of every line that the actor may read, in one company or in
// all of theirs.
func (s *Service) AllChats(ctx context.Context, a Actor, q ChatQuery) (Page[ChatData], error) {
	f, err := q.filter(a)
	if err != nil {
		return Page[ChatData]{}, err
	}
	tx := s.Store.Read(ctx)
	if f.CompanyID = q.CompanyID; f.CompanyID != 0 {
		if _, err := memberOrKey(tx, a, f.CompanyID, "company"); err != nil {
			return Page[ChatData]{}, err
		}
	}
	k, err := keyOf(tx, a)
	if err == nil && k != nil && !k.CanRead {
		err = lacks(KeyRead)
	}
	if err != nil {
		return Page[ChatData]{}, err
	}
	f.Key = k
	return s.chatPage(ctx, tx, f)
}

func (s *Service) chatPage(ctx context.Context, tx *models.Tx, f models.ChatFilter) (Page[ChatData], error) {
	rows, err := tx.Chats(f)
	if err != nil {
		return Page[ChatData]{}, err
	}
	data, err := chatsData(tx, rows, s.Now().Unix(), s.renderers(ctx))
	if err != nil {
		return Page[ChatData]{}, err
	}
	at := make([]int, len(rows))
	for i := range at {
		at[i] = i
	}
	return pageOf("chats", at, f.Limit-1,
		func(i int) []int64 { return []int64{rows[i].LastTime, rows[i].ID} },
		func(i int) ChatData { return data[i] }), nil
}

// Chat returns one chat that the actor may see.
func (s *Service) Chat(ctx context.Context, a Actor, at ChatAddress) (ChatData, error) {
	tx := s.Store.Read(ctx)
	l, err := s.line(tx, a, at.LicenseID, at.Messenger, read)
	if err != nil {
		return ChatData{}, err
	}
	chat, err := l.seenChat(tx, a, at.ChatID)
	if err != nil {
		return ChatData{}, err
	}
	data, err := chatsData(tx, []models.Chat{*chat}, s.Now().Unix(), s.renderers(ctx))
	if err != nil {
		return ChatData{}, err
	}
	s.wantPicture(chat)
	return data[0], nil
}

// ContactData is a person known to a line, as answers show them.
type ContactData struct {
	ID       ID      `json:"id"`
	LID      *string `json:"lid"`
	Name     string  `json:"name"`
	Username *string `json:"username"`
	Phone    *string `json:"phone"`
	Image    *string `json:"image"`
	Blocked  bool    `json:"blocked"` // by the line's account
	// BusinessName is the name of a business that the messenger has verified.
	BusinessName *string `json:"businessName"`
	CreatedAt    int64   `json:"createdAt"` // unix seconds: when the line heard of the person
}

// Contacts lists the people known to a line, in the order in which they became
// known. An actor who sees only their own chats sees only the people of those.
func (s *Service) Contacts(ctx context.Context, a Actor, on Line, q PageQuery, search string) (Page[ContactData], error) {
	tx := s.Store.Read(ctx)
	l, err := s.line(tx, a, on.LicenseID, on.Messenger, read)
	if err != nil {
		return Page[ContactData]{}, err
	}
	after, limit, err := q.start("contacts", 1)
	if err := allViolations(err, checkText("search", search, maxSearch)); err != nil {
		return Page[ContactData]{}, err
	}
	f := l.contacts(a)
	f.Search, f.Limit = search, limit+1
	if after != nil {
		f.AfterID = after[0]
	}
	rows, err := tx.Contacts(f)
	if err != nil {
		return Page[ContactData]{}, err
	}
	v, err := s.renderer(ctx, on)
	if err != nil {
		return Page[ContactData]{}, err
	}
	return pageOf("contacts", rows, limit, func(k models.Contact) []int64 { return []int64{k.ID} },
		func(k models.Contact) ContactData { return v.contact(&k) }), nil
}

// contacts selects the people of the line whom the actor may see.
func (l *line) contacts(a Actor) models.ContactFilter {
	return models.ContactFilter{ViewerID: a.UserID, LicenseID: l.licenseID, MessengerType: l.messenger, OnlyVisible: l.access.OnlyMine}
}

func (v renderer) contact(k *models.Contact) ContactData {
	return ContactData{
		ID: MakeID(v.line.Messenger, k.ExternalID), LID: k.LID, Name: k.Name, Username: k.Username, Phone: k.Phone, Image: v.image(k.Image),
		Blocked: k.Blocked, BusinessName: k.BusinessName, CreatedAt: k.CreatedAt,
	}
}
