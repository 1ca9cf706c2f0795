package models

import (
	"strings"

	"gorm.io/gorm"
)

// TimeKey is a position in a list ordered by time, newest first, then id.
type TimeKey struct {
	Time int64
	ID   int64
}

// ChatFilter selects chats. Zero fields do not narrow, except ViewerID and
// Limit, which must be set.
type ChatFilter struct {
	ViewerID      int64   // only chats that this user may see
	Key           *APIKey // without LicenseID: the key that the viewer is; nil: a person
	CompanyID     int64
	LicenseID     int64
	MessengerType string // with LicenseID
	OnlyMine      bool   // with LicenseID: the viewer sees only their own chats of the line
	Status        string
	Type          string
	ResponsibleID *int64
	NoResponsible bool
	TagID         int64
	Unread        *bool
	Search        string // its words occur in the name, phone, username or id
	LastTime      *int64 // no chat with activity after it
	After         *TimeKey
	Limit         int
}

// mine is the condition that the row c of chats is nobody's, or that the user has a part in
// it. Bind the user twice.
const mine = `(c.responsible_id IS NULL OR c.responsible_id = ?
	OR EXISTS (SELECT 1 FROM chat_members cm WHERE cm.chat_id = c.id AND cm.user_id = ?))`

// visible is the condition that the user may see the row c of chats. Owners and admins
// see all chats of their company, operators those of their licences, and only-mine
// operators only those of them that are mine. Bind the user three times.
const visible = `EXISTS (
	SELECT 1 FROM employees e
	LEFT JOIN employee_licenses el ON el.user_id = e.user_id AND el.license_id = c.license_id
	WHERE e.company_id = c.company_id AND e.user_id = ? AND (
		e.role IN ('owner', 'admin')
		OR el.user_id IS NOT NULL AND (NOT e.only_mine OR ` + mine + `)))`

// visibleToKey narrows q to the chats that a key may see. What there is to see does not
// depend on the row, so the key's row is looked for once.
func visibleToKey(q *gorm.DB, k *APIKey) *gorm.DB {
	q = q.Where("c.company_id = ? AND EXISTS (SELECT 1 FROM api_keys k WHERE k.id = ? AND k.can_read)", k.CompanyID, k.ID)
	if k.LicenseID != nil {
		q = q.Where("c.license_id = ? AND c.messenger_type = ?", *k.LicenseID, k.Messenger)
	}
	return q
}

// Chats lists chats, the latest activity first.
//
// The chats of one line are read in the order of the list from an index of what narrows it
// most, so that a page costs what it shows and not what the line has. Who sees only their
// own chats has three such lists, which are merged.
func (tx *Tx) Chats(f ChatFilter) ([]Chat, error) {
	var chats []Chat
	return chats, tx.chatList(f).Find(&chats).Error
}

func (tx *Tx) chatList(f ChatFilter) *gorm.DB {
	q := tx.db.Table("chats AS c")
	if f.LicenseID == 0 {
		if f.Key != nil {
			q = visibleToKey(q, f.Key)
		} else {
			q = q.Where(visible, f.ViewerID, f.ViewerID, f.ViewerID)
		}
		return f.newest(tx.narrowed(q, f))
	}
	reads, viewer := readsLine+")", []any{f.LicenseID, f.ViewerID}
	if !f.OnlyMine { // which no key has
		reads = "(" + readsLine + " AND (e.role IN ('owner', 'admin') OR NOT e.only_mine)) OR " + keyReadsLine + ")"
		viewer = append(viewer, f.LicenseID, f.MessengerType, f.ViewerID)
	}
	line := func(own string, args ...any) *gorm.DB {
		q := tx.db.Table("chats AS c").Select("c.id", "c.last_time").
			Where("c.license_id = ? AND c.messenger_type = ? AND "+reads, append([]any{f.LicenseID, f.MessengerType}, viewer...)...)
		if own != "" {
			q = q.Where(own, args...)
		}
		return f.newest(tx.narrowed(q, f))
	}
	ids := tx.db.Raw("SELECT id FROM (?) AS one", line(""))
	if f.OnlyMine {
		ids = tx.db.Raw("SELECT id FROM (?) AS one UNION SELECT id FROM (?) AS two UNION SELECT id FROM (?) AS three",
			line("c.responsible_id IS NULL"), line("c.responsible_id = ?", f.ViewerID),
			line("c.id IN (SELECT chat_id FROM chat_members WHERE user_id = ?)", f.ViewerID))
	}
	return f.newest(q.Where("c.id IN (?)", ids))
}

// newest orders q by activity and bounds it.
func (f ChatFilter) newest(q *gorm.DB) *gorm.DB {
	return q.Order("c.last_time DESC, c.id DESC").Limit(f.Limit)
}

// narrowed adds the conditions of the filter, without those of who may see what.
func (tx *Tx) narrowed(q *gorm.DB, f ChatFilter) *gorm.DB {
	if f.CompanyID != 0 {
		q = q.Where("c.company_id = ?", f.CompanyID)
	}
	if f.Status != "" {
		q = q.Where("c.status = ?", f.Status)
	}
	if f.Type != "" {
		q = q.Where("c.type = ?", f.Type)
	}
	if f.ResponsibleID != nil {
		q = q.Where("c.responsible_id = ?", *f.ResponsibleID)
	}
	if f.NoResponsible {
		q = q.Where("c.responsible_id IS NULL")
	}
	if f.TagID != 0 {
		q = q.Where(tx.tagged(f.TagID), f.TagID)
	}
	if f.Unread != nil {
		q = q.Where(map[bool]string{true: "c.unread > 0", false: "c.unread <= 0"}[*f.Unread])
	}
	if f.LastTime != nil {
		q = q.Where("c.last_time <= ?", *f.LastTime)
	}
	if f.After != nil {
		q = q.Where("(c.last_time, c.id) < (?, ?)", f.After.Time, f.After.ID)
	}
	return tx.containing(q, "c", f.Search)
}

// manyTagged is how many chats a tag may have for SQLite to look them up and sort them.
const manyTagged = 2000

// tagged returns the condition that the row c of chats has a tag. PostgreSQL knows how
// common the tag is. SQLite does not: a list of the chats with a common tag is read in its
// own order, because some will come soon.
func (tx *Tx) tagged(tagID int64) string {
	if !tx.postgres {
		var n int64
		err := tx.db.Raw("SELECT COUNT(*) FROM (SELECT 1 FROM chat_tags WHERE tag_id = ? LIMIT ?)", tagID, manyTagged+1).Scan(&n).Error
		if err == nil && n > manyTagged {
			return "(SELECT COUNT(*) FROM chat_tags ct WHERE ct.chat_id = c.id AND ct.tag_id = ?) > 0"
		}
	}
	return "c.id IN (SELECT chat_id FROM chat_tags WHERE tag_id = ?)"
}

// containing narrows q to rows of the table whose names contain every word of the search,
// or its digits when it looks like a phone number. Of rows that are not folded yet, see
// FoldOld, the names are compared as they are written.
func (tx *Tx) containing(q *gorm.DB, table, search string) *gorm.DB {
	folded := Fold(search)
	if folded == "" {
		return q
	}
	within, like := "instr(%s, ?) > 0", "LIKE" // which ignores the case of ASCII on SQLite
	if tx.postgres {
		within, like = "strpos(%s, ?) > 0", "ILIKE"
	}
	digits := phoneDigits(folded)
	condition, args := contains(strings.ReplaceAll(within, "%s", table+".folded"), strings.Fields(folded), digits)
	some, err := tx.UnfoldedNames()
	if err != nil {
		_ = q.AddError(err)
	}
	if !some { // then an index has all that is read
		return q.Where(condition, args...)
	}
	written := strings.ReplaceAll("(t.name || ' ' || COALESCE(t.phone, '') || ' ' || COALESCE(t.username, '') || ' ' || t.external_id)", "t.", table+".")
	words := strings.Fields(search)
	for i, w := range words {
		words[i] = "%" + likeEscaper.Replace(w) + "%"
	}
	if digits != "" {
		digits = "%" + digits + "%"
	}
	old, oldArgs := contains(written+" "+like+" ? ESCAPE '!'", words, digits)
	return q.Where("("+condition+" OR "+table+".folded = '' AND "+old+")", append(args, oldArgs...)...)
}

// contains returns the condition that a text contains all words, or the digits unless
// they are empty. one is the condition for one of them.
func contains(one string, words []string, digits string) (condition string, args []any) {
	var all []string
	for _, w := range words {
		all, args = append(all, one), append(args, w)
	}
	condition = strings.Join(all, " AND ")
	if digits != "" {
		condition, args = condition+" OR "+one, append(args, digits)
	}
	return "(" + condition + ")", args
}

// phoneDigits returns the digits of a text that may be a phone number, written as people
// do; of any other text it returns none.
func phoneDigits(s string) string {
	digits := phoneSigns.Replace(s)
	if len(digits) < 5 || strings.Trim(digits, "0123456789") != "" {
		return ""
	}
	return digits
}

var phoneSigns = strings.NewReplacer("+", "", " ", "", "-", "", "(", "", ")", "", ".", "")

var likeEscaper = strings.NewReplacer("!", "!!", "%", "!%", "_", "!_")

// ContactFilter selects contacts of a line. ViewerID, LicenseID and MessengerType must be
// set, and for lists Limit.
type ContactFilter struct {
	ViewerID      int64
	LicenseID     int64
	MessengerType string
	OnlyVisible   bool     // only contacts with a private chat that the viewer may see
	Search        string   // its words occur in the name, phone, username or id
	IDs           []string // external ids or LIDs; nil: any
	AfterID       int64
	Limit         int
}

// Contacts lists contacts in the order in which they became known.
func (tx *Tx) Contacts(f ContactFilter) ([]Contact, error) {
	q := tx.containing(tx.contacts(f), "k", f.Search)
	var contacts []Contact
	return contacts, q.Where("k.id > ?", f.AfterID).Order("k.id").Limit(f.Limit).Find(&contacts).Error
}

// contacts selects the contacts of a line that the viewer may see.
func (tx *Tx) contacts(f ContactFilter) *gorm.DB {
	q := tx.db.Table("contacts AS k").Where("k.license_id = ? AND k.messenger_type = ?", f.LicenseID, f.MessengerType)
	if f.OnlyVisible {
		q = q.Where(`EXISTS (SELECT 1 FROM chats c WHERE c.license_id = k.license_id
			AND c.messenger_type = k.messenger_type AND c.type = 'private'
			AND (c.external_id = k.external_id OR c.lid = k.lid OR c.phone = k.phone) AND `+visible+`)`, f.ViewerID, f.ViewerID, f.ViewerID)
	}
	if f.IDs != nil {
		q = q.Where("(k.external_id IN ? OR k.lid IN ?)", f.IDs, f.IDs)
	}
	return q
}
