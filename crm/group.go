package crm

import "context"

// Group is a group chat of a line's account, as the messenger has it now.
type Group struct {
	ID          string        `json:"id"` // of its chat: ...@g.us
	Name        string        `json:"name"`
	Description string        `json:"description"`
	OwnerID     *string       `json:"ownerId"`   // null: not known
	CreatedAt   int64         `json:"createdAt"` // unix seconds
	Size        int           `json:"size"`      // members
	Announce    bool          `json:"announce"`  // only admins may write
	Locked      bool          `json:"locked"`    // only admins may change the name, the description and the settings
	Ephemeral   int64         `json:"ephemeral"` // seconds after which messages disappear; 0: never
	Admin       bool          `json:"admin"`     // the line's account is an admin
	Members     []GroupMember `json:"members"`   // null in lists that were not asked for them

	NameBy        *string `json:"nameBy"`        // who gave it the name; null: not known
	NameAt        int64   `json:"nameAt"`        // unix seconds; 0: not known
	DescriptionID string  `json:"descriptionId"` // the messenger's; empty: no description
	Community     bool    `json:"community"`     // it is a community, which has groups
	Announcements bool    `json:"announcements"` // it is the group for announcements of its community
	CommunityID   *string `json:"communityId"`   // null: it belongs to none
}

// Roles of members of groups.
const (
	MemberOrdinary = "member"
	MemberAdmin    = "admin"
	MemberOwner    = "owner"
)

// GroupMember is a member of a group.
type GroupMember struct {
	ID    string  `json:"id"`
	LID   *string `json:"lid"`
	Phone *string `json:"phone"`
	Name  string  `json:"name"` // of the contact; empty: not known
	Role  string  `json:"role"`
	Self  bool    `json:"-"` // the line's account
}

// MemberResult is the outcome of a change of a group's members for one of them.
type MemberResult struct {
	ID     string     `json:"id"`     // as the request named the person
	Status int        `json:"status"` // 200, or the messenger's own code
	Error  *SendError `json:"error"`  // null: done
}

// CreatedGroup is a group that was made, and who could not be added to it.
type CreatedGroup struct {
	Group   Group          `json:"group"`
	Members []MemberResult `json:"members"`
	// Admins are the results for those who were to become admins; empty: it was not asked.
	Admins []MemberResult `json:"admins"`
	// Problem is why the group lacks its admins or its picture; null: it lacks nothing.
	Problem *SendError `json:"problem"`
}

// GroupImage is the picture of a group, at the messenger.
type GroupImage struct {
	// URL is an address that is good for some hours, mostly; null: there is none, or the
	// account may not see it.
	URL *string `json:"url"`
}

// JoinedGroup is a group that the account joined by a link.
type JoinedGroup struct {
	ID      string `json:"id"`
	Pending bool   `json:"pending"` // an admin of the group must accept the account first
	Group   *Group `json:"group"`   // null while that is pending
}

// GroupLink is the link by which people join a group.
type GroupLink struct {
	Link string `json:"link"`
}

// GroupInput describes a group to make.
type GroupInput struct {
	Name        string   `json:"name"`
	Description string   `json:"description"`
	Members     []string `json:"members"` // phone numbers or ids; the account itself is a member always
	Promote     bool     `json:"promote"` // they become admins of the group
	Picture     []byte   `json:"picture"` // JPEG, PNG or WebP; empty: none
}

// GroupChanges are changes of a group. Absent fields stay as they are.
type GroupChanges struct {
	Name        Field[string] `json:"name"`
	Description Field[string] `json:"description"` // empty: none
	Announce    Field[bool]   `json:"announce"`
	Locked      Field[bool]   `json:"locked"`
	Ephemeral   Field[int64]  `json:"ephemeral"`
}

// MemberChange is what a change of members does to them.
type MemberChange string

// Changes of members.
const (
	MembersAdd     MemberChange = "add"
	MembersRemove  MemberChange = "remove"
	MembersPromote MemberChange = "promote" // make them admins
	MembersDemote  MemberChange = "demote"
)

// GroupMessenger is a Messenger whose accounts can be in groups. Ids of groups and people
// are those on the wire. A group that the account is not in is CodeNotFound; what the
// account may not do there is CodeConflict.
type GroupMessenger interface {
	Messenger
	groupReader
	groupChanger
}

type groupReader interface {
	// Groups lists the groups that the account is in, with or without their members.
	Groups(ctx context.Context, l Line, members bool) ([]Group, error)
	Group(ctx context.Context, l Line, id string) (*Group, error)
	// GroupByLink returns the group that people join by a link, whether or not the account
	// is in it. The messenger need not tell all of its members.
	GroupByLink(ctx context.Context, l Line, link string) (*Group, error)
	// GroupPicture returns the address of a group's picture, or an empty one.
	GroupPicture(ctx context.Context, l Line, id string) (url string, err error)
	// GroupLink returns the link by which people join. With renew the links that there
	// were before are invalid afterwards.
	GroupLink(ctx context.Context, l Line, id string, renew bool) (string, error)
}

type groupChanger interface {
	// CreateGroup makes a group. Who cannot be added is in the results, with the reason. It
	// gives it neither admins nor a picture.
	CreateGroup(ctx context.Context, l Line, in GroupInput) (*CreatedGroup, error)
	// ChangeGroup makes the one change that ch has.
	ChangeGroup(ctx context.Context, l Line, id string, ch GroupChanges) error
	ChangeMembers(ctx context.Context, l Line, id string, what MemberChange, people []string) ([]MemberResult, error)
	// SetGroupPicture gives a group a picture and returns the messenger's id of it. Without
	// a picture it takes the one away that there is.
	SetGroupPicture(ctx context.Context, l Line, id string, picture []byte) (pictureID string, err error)
	JoinGroup(ctx context.Context, l Line, link string) (*JoinedGroup, error)
	LeaveGroup(ctx context.Context, l Line, id string) error
}
