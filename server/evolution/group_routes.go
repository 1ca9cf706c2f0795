package evolution

import (
	"errors"
	"regexp"
	"strings"

	"chatcast/crm"
)

func groupRoutes() []route {
	group := func(methods, path, refused string, do func(q *request) (answer, error), own ...field) route {
		return route{methods: methods, path: "/group/" + path + "/:instance", groupErrors: true, do: do, fail: groupFailure(refused), body: append(schema{str("groupJid")}, own...)}
	}
	people := list("participants", str("").some()).must().some()
	founders := list("participants", str("").like(founderForm).says(textFounders)).must().some().distinct()
	return []route{
		group("POST", "create", "500 Error creating group", createGroup, str("subject").must().some(), founders, str("description"), flag("promoteParticipants"), str("profilePicture")).withPicture(),
		group("POST PUT", "updateGroupPicture", "500 Error update group picture", groupPicture, str("image").must().some()).withPicture(),
		group("POST PUT", "updateGroupSubject", "500 Error updating group subject", groupSubject, str("subject").must().some()),
		group("POST PUT", "updateGroupDescription", "500 Error updating group description", groupDescription, str("description").must()),
		group("GET", "inviteCode", "404 No invite code", inviteCode),
		group("POST PUT", "revokeInviteCode", "404 Revoke error", revokeInvite),
		group("POST", "sendInvite", "404 No send invite", sendInvite, str("description").must().some(), list("numbers", str("").some()).must().some()),
		group("GET", "inviteInfo", "404 No invite info", inviteInfo),
		group("GET", "acceptInviteCode", "404 Accept invite error", acceptInvite).changing(),
		group("GET", "findGroupInfos", "404 Error fetching group", findGroup),
		group("GET", "fetchAllGroups", "404 Error fetching group", allGroups),
		group("GET", "participants", "404 No participants", groupMembers),
		group("POST PUT", "updateParticipant", "400 Error updating participants", changeMembers, str("action").must().one("add", "remove", "promote", "demote"), people),
		group("POST PUT", "updateSetting", "400 Error updating setting", groupSetting, str("action").must().one("announcement", "not_announcement", "locked", "unlocked")),
		group("POST PUT", "toggleEphemeral", "400 Error updating setting", groupEphemeral, integer("expiration").must()),
		group("DELETE", "leaveGroup", "400 Unable to leave the group", leaveGroup),
	}
}

// changing marks a route whose GET changes something.
func (rt route) changing() route { rt.changes = true; return rt }

// withPicture marks a route whose body may hold a picture.
func (rt route) withPicture() route { rt.picture = true; return rt }

// groupFailure returns what gives errors of the rules the status and the text of a route.
func groupFailure(refused string) func(*request, error) error {
	status, words, _ := strings.Cut(refused, " ")
	return func(_ *request, err error) error {
		var of *crm.Error
		if !errors.As(err, &of) || of.Code == crm.CodeThrottled || of.Code == crm.CodeDenied || of.Code == crm.CodeTooLarge {
			return err
		}
		switch status {
		case "404":
			return absent(words, of.Message)
		case "500":
			return failed(words, of.Message)
		}
		return bad(words, of.Message)
	}
}

// founderForm is how a member of a new group is named: by ten digits at least, or by an id that has a
// server.
var founderForm = regexp.MustCompile(`^(\D*\d){10,}\D*$|@`)

const textFounders = `"participants" must be an array of numeric strings`

var groupForm = regexp.MustCompile(`^[\d-]+@g\.us$`)

// groupOf returns the group that a request names in its body or its query.
func (q *request) groupOf() (crm.ChatAddress, error) {
	jid := text(q.body, "groupJid")
	if jid == "" {
		jid = q.query("groupJid")
	}
	if jid != "" && !strings.HasSuffix(jid, "@g.us") {
		jid += "@g.us"
	}
	if !groupForm.MatchString(jid) {
		return crm.ChatAddress{}, bad("The group id needs to be informed in the query", `ex: "groupJid=120362@g.us"`)
	}
	return crm.ChatAddress{Line: q.line(), ChatID: jid}, nil
}

// inviteOf returns the code of a link that a request names.
func (q *request) inviteOf() (string, error) {
	code := text(q.body, "inviteCode")
	if code == "" {
		code = q.query("inviteCode")
	}
	code = inviteOfLink(code)
	if !inviteForm.MatchString(code) {
		return "", bad("The group invite code id needs to be informed in the query", `ex: "inviteCode=F1EX5QZxO181L3TMVP31gY"`)
	}
	return code, nil
}

var inviteForm = regexp.MustCompile(`^[A-Za-z0-9]{22}$`)

func inviteOfLink(link string) string {
	return strings.TrimPrefix(strings.TrimPrefix(link, "https://chat.whatsapp.com/"), "invite/")
}
