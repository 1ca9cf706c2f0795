package evolution

import (
	"chatcast/crm"
	"chatcast/server/evolution/shape"
)

// groupObject is a group in Evolution's words.
type groupObject struct {
	ID           string        `json:"id"`
	Subject      string        `json:"subject"`
	SubjectOwner *string       `json:"subjectOwner,omitempty"`
	SubjectTime  int64         `json:"subjectTime"`
	PictureURL   *string       `json:"pictureUrl"`
	Size         int           `json:"size"`
	Creation     int64         `json:"creation"`
	Owner        *string       `json:"owner,omitempty"`
	Desc         *string       `json:"desc,omitempty"`
	DescID       *string       `json:"descId,omitempty"`
	Restrict     bool          `json:"restrict"`
	Announce     bool          `json:"announce"`
	Participants []participant `json:"participants,omitempty"`
	Community    bool          `json:"isCommunity"`
	Announces    bool          `json:"isCommunityAnnounce"`
	Parent       *string       `json:"linkedParent"`
}

// participant is a member of a group: by number when that is known, with the hidden id beside it.
type participant struct {
	ID    string  `json:"id"`
	LID   *string `json:"lid,omitempty"`
	Admin *string `json:"admin"` // superadmin, admin or null
}

type namedParticipant struct {
	participant
	Name  string  `json:"name"`
	Image *string `json:"imgUrl"` // null
	Phone *string `json:"phoneNumber,omitempty"`
}

func jidOrNil(id *string) *string {
	if id == nil {
		return nil
	}
	jid := shape.JID(*id)
	return &jid
}

func textOrNil(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

func groupIn(g *crm.Group, members bool) groupObject {
	out := groupObject{
		ID: g.ID, Subject: g.Name, SubjectOwner: jidOrNil(g.NameBy), SubjectTime: g.NameAt, Size: g.Size, Creation: g.CreatedAt, Owner: jidOrNil(g.OwnerID),
		Desc: textOrNil(g.Description), DescID: textOrNil(g.DescriptionID), Restrict: g.Locked, Announce: g.Announce,
		Community: g.Community, Announces: g.Announcements, Parent: g.CommunityID,
	}
	if members {
		for _, m := range g.Members {
			out.Participants = append(out.Participants, memberIn(m))
		}
	}
	return out
}

func memberIn(m crm.GroupMember) participant {
	p := participant{ID: shape.JID(m.ID), LID: m.LID}
	p.Admin = textOrNil(shape.Admin(m.Role))
	return p
}

// withPicture adds the address of the group's picture, as far as it is known.
func (q *request) withPicture(out groupObject, at crm.ChatAddress) groupObject {
	if image, err := q.e.CRM.GroupPicture(q.ctx, q.actor, at); err == nil {
		out.PictureURL = image.URL
	}
	return out
}
