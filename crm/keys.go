package crm

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"chatcast/models"
)

// Rights of a key. Each stands by itself: a key with KeySend alone can send messages and
// sees nothing of what customers answer.
const (
	KeyRead    = "read"    // chats, messages and events
	KeySend    = "send"    // messages; with KeyRead, work on chats too
	KeyManage  = "manage"  // the line: its account, its settings and, with KeyRead, its callback URLs
	KeyInbound = "inbound" // deliver what customers write, as the program of a bridge does
)

var keyRights = []string{KeyRead, KeySend, KeyManage, KeyInbound}

// KeyRights lists the rights of keys.
func KeyRights() []string { return slices.Clone(keyRights) }

const (
	maxKeys    = 1000 // of a company
	minKeyText = 16
	maxKeyText = 200
	// keyPrefix begins the keys that are made here, so that programs that look for secrets
	// in files recognise them.
	keyPrefix = "cck_"
)

// KeyData is a key as answers show it. The key itself is shown once, see CreatedKey.
type KeyData struct {
	ID         int64    `json:"id"`
	Name       string   `json:"name"`
	CompanyID  int64    `json:"companyId"`
	LicenseID  int64    `json:"licenseId,omitempty"`     // of the only line; 0: all lines of the company
	Messenger  string   `json:"messengerType,omitempty"` // likewise; empty: all
	Rights     []string `json:"rights"`
	UserID     int64    `json:"userId"`    // what messages and the audit log name when the key acts
	CreatedBy  *int64   `json:"createdBy"` // a user; null: the server's owner
	CreatedAt  int64    `json:"createdAt"`
	LastUsedAt *int64   `json:"lastUsedAt"` // exact to a minute; null: not yet
}

// Has reports whether the key has the right.
func (k *KeyData) Has(right string) bool { return slices.Contains(k.Rights, right) }

// CreatedKey is a new key. Key is what programs send; nobody can learn it again.
type CreatedKey struct {
	KeyData
	Key string `json:"key"`
}

// KeyInput describes a key to make: of a line, or of a whole company.
type KeyInput struct {
	CompanyID int64    `json:"companyId"` // 0: that of the line, or the actor's only company
	Name      string   `json:"name"`
	LicenseID int64    `json:"licenseId"`
	Messenger string   `json:"messengerType"`
	Rights    []string `json:"rights"`
	Text      string   `json:"-"` // the key itself; empty: one is made
}

// check checks in without the database.
func (in KeyInput) check() error {
	violations := []error{checkRequired("name", in.Name, maxName)}
	switch {
	case in.LicenseID < 0:
		violations = append(violations, Invalid("licenseId", "must not be negative"))
	case in.LicenseID != 0 && in.Messenger == "":
		violations = append(violations, Invalid("messengerType", "is required with licenseId"))
	case in.LicenseID == 0 && in.Messenger != "":
		violations = append(violations, Invalid("licenseId", "is required with messengerType"))
	}
	if len(in.Rights) == 0 {
		violations = append(violations, Invalid("rights", "must have at least one of %s", strings.Join(keyRights, ", ")))
	}
	for i, r := range in.Rights {
		if !slices.Contains(keyRights, r) {
			violations = append(violations, Invalid(fmt.Sprintf("rights[%d]", i), "must be one of %s", strings.Join(keyRights, ", ")))
		}
	}
	return allViolations(append(violations, checkKeyText(in.Text))...)
}

// checkKeyText checks a key that its user has chosen: it must get through a header unchanged.
func checkKeyText(text string) error {
	visible := func(r rune) bool { return r > ' ' && r <= '~' }
	if text == "" || len(text) >= minKeyText && len(text) <= maxKeyText && strings.IndexFunc(text, func(r rune) bool { return !visible(r) }) < 0 {
		return nil
	}
	return Invalid("key", "must be %d to %d visible ASCII characters", minKeyText, maxKeyText)
}

// row returns the key as a row without its user.
func (in KeyInput) row() *models.APIKey {
	k := &models.APIKey{
		Name: strings.TrimSpace(in.Name), Messenger: in.Messenger,
		CanRead: slices.Contains(in.Rights, KeyRead), CanSend: slices.Contains(in.Rights, KeySend),
		CanManage: slices.Contains(in.Rights, KeyManage), CanInbound: slices.Contains(in.Rights, KeyInbound),
	}
	if in.LicenseID != 0 {
		k.LicenseID = &in.LicenseID
	}
	return k
}

func keyData(k models.APIKey) KeyData {
	d := KeyData{
		ID: k.ID, Name: k.Name, CompanyID: k.CompanyID, LicenseID: deref(k.LicenseID), Messenger: k.Messenger, Rights: []string{},
		UserID: k.UserID, CreatedBy: k.CreatedBy, CreatedAt: k.CreatedAt,
	}
	for i, has := range []bool{k.CanRead, k.CanSend, k.CanManage, k.CanInbound} {
		if has {
			d.Rights = append(d.Rights, keyRights[i])
		}
	}
	if k.LastUsedAt != 0 {
		d.LastUsedAt = &k.LastUsedAt
	}
	return d
}

// CreateKey makes a key for a company, or for one of its lines. Owners and admins may.
// CodeConflict means that there is such a key already, or that the company has too many.
func (s *Service) CreateKey(ctx context.Context, a Actor, in KeyInput) (made *CreatedKey, err error) {
	err = s.change(ctx, func(c *change) error {
		companyID, err := keyCompany(c.tx, a, in)
		if err != nil {
			return err
		}
		made, err = c.addKey(a.auditor(), companyID, in)
		return err
	})
	if err != nil {
		return nil, err
	}
	return made, nil
}

// keyCompany returns the company in which the actor may make the key.
func keyCompany(tx *models.Tx, a Actor, in KeyInput) (int64, error) {
	companyID := in.CompanyID
	if in.LicenseID != 0 {
		l, err := tx.License(in.LicenseID)
		if err == nil && companyID != 0 && companyID != l.CompanyID {
			err = models.ErrNotFound
		}
		if err != nil {
			return 0, orNotFound(err, "license or messenger")
		}
		if err := member(tx, a, l.CompanyID, "license or messenger"); err != nil {
			return 0, err
		}
		companyID = l.CompanyID
	}
	by, err := ownerOrAdmin(tx, a, companyID, "make keys")
	if err != nil {
		return 0, err
	}
	return by.CompanyID, nil
}

// addKey makes a key. It asks for no permission: its callers do.
func (c *change) addKey(by auditor, companyID int64, in KeyInput) (*CreatedKey, error) {
	if err := in.check(); err != nil {
		return nil, err
	}
	if _, err := c.tx.LockCompany(companyID); err != nil { // so that the limit holds, and the line stays
		return nil, orNotFound(err, "company")
	}
	if in.LicenseID != 0 {
		l, err := c.tx.LineOf(in.LicenseID, in.Messenger)
		if err == nil && l.CompanyID != companyID {
			err = models.ErrNotFound
		}
		if err != nil {
			return nil, orNotFound(err, "license or messenger")
		}
	}
	n, err := c.tx.CountKeys(companyID)
	if err == nil && n >= maxKeys {
		err = conflict(fmt.Sprintf("the company has %d keys already, which is the maximum", maxKeys))
	}
	if err != nil {
		return nil, err
	}
	k, text := in.row(), in.Text
	if text == "" {
		text = keyPrefix + randomToken()
	}
	k.CompanyID, k.Hash, k.CreatedAt = companyID, hashToken(text), c.now.Unix()
	if by.kind == ActorUser {
		k.CreatedBy = &by.userID
	}
	if err := c.insertKey(k); err != nil {
		return nil, err
	}
	made := &CreatedKey{keyData(*k), text}
	return made, c.auditKey(by, k, AuditKeyMade)
}

// insertKey inserts a key and the user that stands for it. The user's address is none that
// anybody could sign in with, or be sent a message at.
func (c *change) insertKey(k *models.APIKey) error {
	user := &models.User{Email: "key:" + randomHex(16), Name: k.Name, CompanyID: &k.CompanyID, CreatedAt: c.now.Unix(), OfKey: true}
	if err := c.tx.CreateUser(user); err != nil {
		return err
	}
	k.UserID = user.ID
	err := c.tx.CreateKey(k)
	if errors.Is(err, models.ErrDuplicate) {
		return conflict("there is this key already")
	}
	return err
}

func (c *change) auditKey(by auditor, k *models.APIKey, action string) error {
	details := map[string]string{"rights": strings.Join(keyData(*k).Rights, ", ")}
	if k.LicenseID != nil {
		details["line"] = lineTarget(*k.LicenseID, k.Messenger).id
	}
	return c.audit(k.CompanyID, audited{action: action, by: by, on: ofID(targetKey, k.ID, k.Name), details: details})
}

// Keys lists the keys of a company, newest first, for its owners and admins. companyID 0
// means the actor's only company.
func (s *Service) Keys(ctx context.Context, a Actor, companyID int64, q PageQuery) (Page[KeyData], error) {
	var none Page[KeyData]
	tx := s.Store.Read(ctx)
	by, err := ownerOrAdmin(tx, a, companyID, "see the keys")
	if err != nil {
		return none, err
	}
	start, limit, err := q.start("keys", 1)
	if err != nil {
		return none, err
	}
	var before int64
	if start != nil {
		before = start[0]
	}
	rows, err := tx.Keys(by.CompanyID, before, limit+1)
	if err != nil {
		return none, err
	}
	return pageOf("keys", rows, limit, func(k models.APIKey) []int64 { return []int64{k.ID} }, keyData), nil
}
