package crm

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Limits of groups, as WhatsApp has them.
const (
	maxGroupName        = 100 // characters
	maxGroupDescription = 2048
	maxGroupMembers     = 1024
)

// ephemeralTimes are the times that messages of a chat may have before they disappear.
var ephemeralTimes = []int64{0, 86400, 604800, 7776000}

// inviteForm is a link by which people join a group, or its code.
var inviteForm = regexp.MustCompile(`^(https://chat\.whatsapp\.com/(invite/)?)?([0-9A-Za-z]{10,64})$`)

// check checks the group, and returns the members' ids on the wire.
func (in *GroupInput) check(messenger string) error {
	members, err := peopleOf(messenger, "members", in.Members, 0)
	if err := allViolations(checkRequired("name", in.Name, maxGroupName), checkText("description", in.Description, maxGroupDescription), err); err != nil {
		return err
	}
	in.Name, in.Members = strings.TrimSpace(in.Name), members
	return nil
}

func (ch *GroupChanges) check() error {
	errs := []error{
		ch.Name.notNull("name"), ch.Description.notNull("description"),
		ch.Announce.notNull("announce"), ch.Locked.notNull("locked"), ch.Ephemeral.notNull("ephemeral"),
	}
	if ch.Name.Set && !ch.Name.Null {
		errs = append(errs, checkRequired("name", ch.Name.Value, maxGroupName))
		ch.Name.Value = strings.TrimSpace(ch.Name.Value)
	}
	if ch.Description.Set {
		errs = append(errs, checkText("description", ch.Description.Value, maxGroupDescription))
	}
	errs = append(errs, checkEphemeral("ephemeral", ch.Ephemeral))
	return allViolations(errs...)
}

func checkEphemeral(field string, seconds Field[int64]) error {
	if !seconds.Set || seconds.Null || slices.Contains(ephemeralTimes, seconds.Value) {
		return nil
	}
	return Invalid(field, "must be 0, 86400, 604800 or 7776000 seconds")
}

// single returns each change alone, with its entry for the audit log, in the order in
// which they are made.
func (ch GroupChanges) single() (all []GroupChanges, details []map[string]string) {
	add := func(one GroupChanges, name, value string) {
		all, details = append(all, one), append(details, map[string]string{name: value})
	}
	if ch.Name.Set {
		add(GroupChanges{Name: ch.Name}, "name", ch.Name.Value)
	}
	if ch.Description.Set {
		add(GroupChanges{Description: ch.Description}, "description", "")
	}
	if ch.Announce.Set {
		add(GroupChanges{Announce: ch.Announce}, "announce", fmt.Sprint(ch.Announce.Value))
	}
	if ch.Locked.Set {
		add(GroupChanges{Locked: ch.Locked}, "locked", fmt.Sprint(ch.Locked.Value))
	}
	if ch.Ephemeral.Set {
		add(GroupChanges{Ephemeral: ch.Ephemeral}, "ephemeral", fmt.Sprint(ch.Ephemeral.Value))
	}
	return all, details
}

// peopleOf returns the ids on the wire of people that a field of a request names by number
// or id, each once.
func peopleOf(messenger, field string, names []string, least int) ([]string, error) {
	if len(names) < least || len(names) > maxGroupMembers {
		return nil, Invalid(field, "must be %d to %d people", least, maxGroupMembers)
	}
	var ids []string
	var errs []error
	for i, name := range names {
		at := fmt.Sprintf("%s[%d]", field, i)
		if digits := phoneSigns.Replace(name); phoneForm.MatchString(digits) {
			name = digits
		}
		key, err := ParseChatID(at, messenger, strings.TrimSpace(name))
		if err == nil && !key.private() {
			err = Invalid(at, "must be a person, not a group or a channel")
		}
		if err != nil {
			errs = append(errs, err)
			continue
		}
		if !slices.Contains(ids, key.External) {
			ids = append(ids, key.External)
		}
	}
	return ids, allViolations(errs...)
}
