package crm

import (
	"cmp"
	"errors"
	"slices"
	"strings"

	"chatcast/models"
)

// keepContacts saves the contacts of the batch and the authors of its messages, with
// the newest data about each.
func (c *change) keepContacts(l *line, b batch) error {
	newest := map[string]*models.Contact{}
	var ids []string
	all := slices.Clone(b.contacts)
	for i := range b.messages {
		if k := b.messages[i].contact; k != nil {
			all = append(all, k)
		}
	}
	for _, k := range all {
		id, err := c.contactID(l, k)
		if err != nil {
			return err
		}
		one := *k
		if id != k.ExternalID && !strings.HasSuffix(k.ExternalID, "@lid") { // the number is another's
			one.Phone = nil
		}
		whole := one
		if before := newest[id]; before != nil {
			whole = *before
			update(&whole, &one, b.history)
		} else {
			ids = append(ids, id)
		}
		whole.ExternalID = id
		newest[id] = &whole
	}
	if len(ids) == 0 {
		return nil
	}
	slices.Sort(ids)
	made, err := c.makeContacts(l, ids, newest)
	if err != nil {
		return err
	}
	rows, err := c.tx.LockContacts(l.licenseID, l.messenger, ids)
	if err != nil {
		return err
	}
	for _, row := range rows {
		name := row.Name
		if made[row.ExternalID] || !update(row, newest[row.ExternalID], b.history) {
			continue
		}
		if row.Name != name {
			c.contactHas(ContactChanged, row.ExternalID)
		}
		if err := c.tx.SaveContact(row); err != nil {
			return err
		}
	}
	return nil
}

// makeContacts inserts those of the contacts that are not here, and returns their ids.
func (c *change) makeContacts(l *line, ids []string, newest map[string]*models.Contact) (made map[string]bool, err error) {
	made = map[string]bool{}
	for _, id := range ids {
		k := *newest[id]
		k.LicenseID, k.CreatedAt = l.licenseID, c.now.Unix()
		if _, err := c.tx.ContactByExternal(l.licenseID, l.messenger, id); err == nil {
			continue
		} else if !errors.Is(err, models.ErrNotFound) {
			return nil, err
		}
		created, err := c.tx.EnsureContact(&k)
		if err != nil {
			return nil, err
		}
		if made[id] = created; created {
			c.contactHas(ContactNew, id)
		}
	}
	return made, nil
}

// contactHas remembers what is new of a contact, for the first message of theirs.
func (c *change) contactHas(news, id string) {
	if c.people == nil {
		c.people = map[string]string{}
	}
	c.people[id] = news
}

// contactID returns the id under which the line stores a person who has several. History may
// name them by a number that another person has now.
func (c *change) contactID(l *line, k *models.Contact) (string, error) {
	id := k.ExternalID
	if !strings.HasSuffix(id, "@lid") && (k.LID == nil || !c.quiet) || !IsWhatsApp(l.messenger) {
		return id, nil
	}
	row, err := c.tx.ContactByAlias(l.licenseID, l.messenger, id)
	if errors.Is(err, models.ErrNotFound) {
		return id, nil
	}
	if err != nil {
		return "", err
	}
	if row.LID != nil && k.LID != nil && *row.LID != *k.LID {
		return c.contactID(l, &models.Contact{ExternalID: *k.LID, LID: k.LID})
	}
	return row.ExternalID, nil
}

// update copies the fields of k to row and reports whether row changed. History
// only fills in missing fields.
func update(row, k *models.Contact, history bool) bool {
	before, newer, older := *row, *k, *row
	if history {
		newer, older = older, newer
	}
	keepGiven(&row.Name, &row.MessengerName, k.Name, k.MessengerName)
	hear(&row.Name, &row.MessengerName, cmp.Or(heardName(newer.Name, newer.MessengerName), heardName(older.Name, older.MessengerName)))
	row.Username = firstOf(newer.Username, older.Username)
	row.Phone = firstOf(newer.Phone, older.Phone)
	row.Image = firstOf(newer.Image, older.Image)
	row.LID = firstOf(newer.LID, older.LID)
	row.BusinessName = firstOf(newer.BusinessName, older.BusinessName)
	return row.Name != before.Name || !same(row.MessengerName, before.MessengerName) || !same(row.Username, before.Username) || !same(row.Phone, before.Phone) ||
		!same(row.Image, before.Image) || !same(row.LID, before.LID) || !same(row.BusinessName, before.BusinessName)
}

// linkContacts merges the contacts of a phone number, of a LID, and of a number that was
// typed for the phone number, into one. A contact that had the number under another LID
// loses it.
func (c *change) linkContacts(l *line, key ChatKey) error {
	rows, err := c.tx.LockPeople(l.licenseID, l.messenger, key.ids())
	if err != nil {
		return err
	}
	var row *models.Contact
	for _, k := range rows {
		if k.ExternalID == key.External && k.LID != nil && key.LID != "" && *k.LID != key.LID {
			if c.quiet { // history may be older, see chatSet.settled
				return nil
			}
			k.ExternalID, k.Phone = *k.LID, nil
			if heardName(k.Name, k.MessengerName) == key.Phone {
				hear(&k.Name, &k.MessengerName, "")
			}
			if err := c.tx.SaveContact(k); err != nil {
				return err
			}
		} else if row == nil || k.ExternalID == key.External {
			row = k
		}
	}
	if row == nil {
		return nil
	}
	before := *row
	for _, k := range rows {
		if k == row || k.LID != nil && key.LID != "" && *k.LID != key.LID {
			continue
		}
		update(row, k, true)
		row.Blocked = row.Blocked || k.Blocked
		if err := c.tx.DeleteContact(k.ID); err != nil {
			return err
		}
	}
	row.ExternalID, row.Phone, row.LID = key.External, &key.Phone, firstOf(given(key.LID), row.LID)
	if row.ExternalID == before.ExternalID && row.Blocked == before.Blocked && !update(&before, row, false) {
		return nil
	}
	return c.tx.SaveContact(row)
}

// people returns the ids of the people of whom the batch names several, each once.
func (b *batch) people() []ChatKey {
	all := slices.Clone(b.aliases)
	for i := range b.messages {
		all = append(all, b.messages[i].chat.key)
	}
	for i := range b.chats {
		all = append(all, b.chats[i].key)
	}
	all = slices.DeleteFunc(all, func(k ChatKey) bool { return k.Phone == "" || k.LID == "" && k.Typed == "" })
	seen := map[ChatKey]bool{}
	return slices.DeleteFunc(all, func(k ChatKey) bool {
		again := seen[k]
		seen[k] = true
		return again
	})
}

// ids returns all ids of an alias.
func (k ChatKey) ids() []string {
	return slices.DeleteFunc([]string{k.External, k.LID, k.Typed}, func(id string) bool { return id == "" })
}

// lockPeople locks the contacts of a batch that joins some of several people, so that
// batches with the same people cannot deadlock.
func (c *change) lockPeople(l *line, b batch, people []ChatKey) error {
	var ids []string
	for _, key := range people {
		ids = append(ids, key.ids()...)
	}
	if len(ids) == 0 {
		return nil
	}
	for _, k := range b.contacts {
		ids = append(ids, k.ExternalID)
	}
	for i := range b.messages {
		if k := b.messages[i].contact; k != nil {
			ids = append(ids, k.ExternalID)
		}
	}
	_, err := c.tx.LockPeople(l.licenseID, l.messenger, ids)
	return err
}

// applyContacts applies aliases, contacts and descriptions of chats.
func (c *change) applyContacts(l *line, chats *chatSet, b batch) error {
	for _, key := range b.aliases {
		if key = chats.settled(c, key); key.Phone == "" {
			continue
		}
		if err := chats.free(c, key); err != nil {
			return err
		}
		chat := chats.find(inboundChat{key: key})
		if chat == nil && key.Typed != "" {
			chat = chats.byID[key.Typed]
		}
		if chat != nil {
			if err := chats.link(c, chat, key); err != nil {
				return err
			}
		}
	}
	people := b.people()
	if err := c.lockPeople(l, b, people); err != nil {
		return err
	}
	for _, key := range people {
		if err := c.linkContacts(l, key); err != nil {
			return err
		}
	}
	if err := c.keepContacts(l, b); err != nil {
		return err
	}
	for i := range b.chats {
		in := b.chats[i].settled(chats.settled(c, b.chats[i].key))
		if err := chats.free(c, in.key); err != nil {
			return err
		}
		if chats.find(in) == nil {
			continue
		}
		chat, err := chats.add(c, in)
		if err != nil {
			return err
		}
		before := *chat
		if b.history {
			in.fill(chat)
		} else {
			in.describe(chat, "")
		}
		if chatCard(chat) == chatCard(&before) && same(chat.MessengerName, before.MessengerName) && disappearingOf(chat) == disappearingOf(&before) {
			continue
		}
		if err := c.tx.SaveChat(chat); err != nil {
			return err
		}
	}
	return nil
}
