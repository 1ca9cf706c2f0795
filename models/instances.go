package models

import (
	"slices"

	"gorm.io/gorm/clause"
)

// Instance is what the clients of other dialects call a line, and how it answers them.
type Instance struct {
	ID            string `gorm:"primaryKey"` // a UUID
	CompanyID     int64
	LicenseID     int64
	MessengerType string
	Name          string // unique in the company
	Shape         string
	Settings      string // JSON
	Websocket     string // JSON
	Webhook       string // JSON; empty: none
	Token         string // the key it was created with; empty: it is not kept
	ProfileName   string // the account's own name; empty: not known
	Number        string // the phone number it was created with; empty: none
	PictureURL    string // of the account, at its messenger; empty: none, or not known
	About         string // the account's text about itself; empty: none, or not known
	OwnLicense    bool   // the licence was created for it, and is deleted with it
	CreatedAtMS   int64  `gorm:"column:created_at_ms"`
	UpdatedAtMS   int64  `gorm:"column:updated_at_ms"`
}

// CreateInstance inserts an instance of a line, and reports whether it did: not when the company
// has one with its name.
func (tx *Tx) CreateInstance(i *Instance) (added bool, err error) {
	row, err := tx.sealInstance(i)
	if err != nil {
		return false, err
	}
	res := tx.db.Clauses(clause.OnConflict{Columns: []clause.Column{{Name: "company_id"}, {Name: "name"}}, DoNothing: true}).Create(row)
	if res.Error != nil {
		return false, tx.constraint(res.Error)
	}
	if res.RowsAffected == 0 {
		return false, nil
	}
	return true, tx.InstancesChanged()
}

// SaveInstance writes the fields of an instance that may change. It returns ErrDuplicate when the
// company has another one with its name.
func (tx *Tx) SaveInstance(i *Instance) error {
	row, err := tx.sealInstance(i)
	if err != nil {
		return err
	}
	err = tx.db.Model(row).Select("name", "shape", "settings", "websocket", "webhook", "updated_at_ms").Updates(row).Error
	if err != nil {
		return tx.constraint(err)
	}
	return tx.InstancesChanged()
}

// sealInstance returns the row of an instance.
func (tx *Tx) sealInstance(i *Instance) (*Instance, error) {
	row := *i
	if i.Webhook != "" {
		row.Webhook = tx.seal(instanceWebhook, i.Webhook, i.ID)
	}
	if i.Token != "" {
		row.Token = tx.seal(instanceToken, i.Token, i.ID)
	}
	if row.Webhook+row.Token == "" {
		return &row, nil
	}
	return &row, tx.claimKeys()
}

// instance returns an instance as its row was sealed from.
func (tx *Tx) instance(i *Instance, err error) (*Instance, error) {
	if err == nil && i.Webhook != "" {
		err = tx.open(instanceWebhook, &i.Webhook, i.ID)
	}
	if err == nil && i.Token != "" {
		err = tx.open(instanceToken, &i.Token, i.ID)
	}
	if err != nil {
		return nil, err
	}
	return i, nil
}

// InstanceOf returns the instance of a line, or ErrNotFound.
func (tx *Tx) InstanceOf(licenseID int64, messengerType string) (*Instance, error) {
	return tx.instance(first[Instance](tx.db.Where("license_id = ? AND messenger_type = ?", licenseID, messengerType)))
}

// InstanceByID returns the instance with this id, or ErrNotFound.
func (tx *Tx) InstanceByID(id string) (*Instance, error) {
	return tx.instance(first[Instance](tx.db.Where("id = ?", id)))
}

// InstanceNamed returns the company's instance with this name, or ErrNotFound.
func (tx *Tx) InstanceNamed(companyID int64, name string) (*Instance, error) {
	return tx.instance(first[Instance](tx.db.Where("company_id = ? AND name = ?", companyID, name)))
}

// LockInstance returns the instance and locks its row until the transaction ends.
func (tx *Tx) LockInstance(id string) (*Instance, error) {
	return tx.instance(first[Instance](tx.forUpdate().Where("id = ?", id)))
}

// InstancesOf lists the instances of these companies, by company and name.
func (tx *Tx) InstancesOf(companyIDs []int64) ([]Instance, error) {
	var list []Instance
	if err := tx.db.Where("company_id IN ?", companyIDs).Order("company_id, name").Find(&list).Error; err != nil {
		return nil, err
	}
	for i := range list {
		if _, err := tx.instance(&list[i], nil); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// UnservedWebhooks lists the instances that have a webhook and no endpoint that serves it, without
// the webhooks.
func (tx *Tx) UnservedWebhooks() (list []Instance, err error) {
	return list, tx.db.Omit("webhook", "token").Where(`webhook <> '' AND NOT EXISTS (SELECT 1 FROM callback_urls u
		WHERE u.license_id = instances.license_id AND u.messenger_type = instances.messenger_type AND u.format = 'evolution')`).Order("id").Find(&list).Error
}

// InstanceView is an instance and the phone number of its line's account.
type InstanceView struct {
	Instance
	Phone string // empty: none
}

// InstanceViews lists all instances, without their webhooks.
func (tx *Tx) InstanceViews() ([]InstanceView, error) {
	var list []InstanceView
	err := tx.db.Raw(`
		SELECT i.id, i.company_id, i.license_id, i.messenger_type, i.name, i.shape, i.settings, i.websocket, i.profile_name,
		       i.created_at_ms, i.updated_at_ms, COALESCE(s.phone, '') AS phone
		FROM instances i
		LEFT JOIN messenger_sessions s ON s.license_id = i.license_id AND s.messenger_type = i.messenger_type`).Scan(&list).Error
	return list, err
}

// InstancesVersion returns a number that rises with each change of what InstanceViews returns.
// When it is read before them, it is never newer than they are.
func (tx *Tx) InstancesVersion() (version int64, err error) {
	return version, tx.db.Raw("SELECT version FROM instances_state WHERE id = 1").Scan(&version).Error
}

// InstancesChanged raises the version: the instances are other ones, or a line has another phone
// number. Others that raise it wait until the transaction ends.
func (tx *Tx) InstancesChanged() error {
	return tx.db.Exec("UPDATE instances_state SET version = version + 1 WHERE id = 1").Error
}

// SetProfileName notes the own name of a line's account, and reports whether it is another one.
func (tx *Tx) SetProfileName(licenseID int64, messengerType, name string) (changed bool, err error) {
	res := tx.db.Exec("UPDATE instances SET profile_name = ? WHERE license_id = ? AND messenger_type = ? AND profile_name <> ?",
		name, licenseID, messengerType, name)
	if res.Error != nil || res.RowsAffected == 0 {
		return false, res.Error
	}
	return true, tx.InstancesChanged()
}

// SetAccountLooks notes the picture of a line's account and its text about itself. What processes
// hold of the instances does not have them.
func (tx *Tx) SetAccountLooks(licenseID int64, messengerType, pictureURL, about string) error {
	return tx.db.Exec("UPDATE instances SET picture_url = ?, about = ? WHERE license_id = ? AND messenger_type = ? AND (picture_url <> ? OR about <> ?)",
		pictureURL, about, licenseID, messengerType, pictureURL, about).Error
}

// CompaniesOf lists the companies that the user works for, or is a key of, rising.
func (tx *Tx) CompaniesOf(userID int64) (ids []int64, err error) {
	err = tx.db.Raw(`SELECT company_id FROM employees WHERE user_id = ? UNION SELECT company_id FROM api_keys WHERE user_id = ? ORDER BY 1`,
		userID, userID).Scan(&ids).Error
	return ids, err
}

// LineFigures is how much a line has.
type LineFigures struct {
	Messages, Contacts, Chats int64
}

// maxCountedLines is how many licences one query counts for: databases bound its parameters.
const maxCountedLines = 5000

// CountLines counts what lines have, in one query for up to 5000 of them.
func (tx *Tx) CountLines(lines []Line) (map[Line]LineFigures, error) {
	found := make(map[Line]LineFigures, len(lines))
	var licenses []int64
	var types []string
	for _, l := range lines {
		found[l] = LineFigures{}
		licenses = append(licenses, l.LicenseID)
		if !slices.Contains(types, l.Type) { // few
			types = append(types, l.Type)
		}
	}
	slices.Sort(licenses)
	for some := range slices.Chunk(slices.Compact(licenses), maxCountedLines) {
		if err := tx.countLines(found, some, types); err != nil {
			return nil, err
		}
	}
	return found, nil
}

func (tx *Tx) countLines(found map[Line]LineFigures, licenses []int64, types []string) error {
	const of = "c.license_id, c.messenger_type, COUNT(*) AS n FROM "
	const where = " WHERE c.license_id IN ? AND c.messenger_type IN ? GROUP BY c.license_id, c.messenger_type"
	var rows []struct {
		What          string
		LicenseID     int64
		MessengerType string
		N             int64
	}
	err := tx.db.Raw("SELECT 'messages' AS what, "+of+"messages m JOIN chats c ON c.id = m.chat_id"+where+
		" UNION ALL SELECT 'contacts' AS what, "+of+"contacts c"+where+" UNION ALL SELECT 'chats' AS what, "+of+"chats c"+where,
		licenses, types, licenses, types, licenses, types).Scan(&rows).Error
	if err != nil {
		return err
	}
	for _, r := range rows {
		l := Line{LicenseID: r.LicenseID, Type: r.MessengerType}
		n, asked := found[l]
		if !asked { // another line of the licence
			continue
		}
		switch r.What {
		case "messages":
			n.Messages = r.N
		case "contacts":
			n.Contacts = r.N
		default:
			n.Chats = r.N
		}
		found[l] = n
	}
	return nil
}
