package integration

import (
	"cmp"
	"slices"
	"strconv"
	"testing"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// members are the instances of one group, which a test strikes.
type members struct {
	*scene
	arguments []string // of another one
	instances []*instance
}

// start starts as many instances as asked for, and returns when they are ready.
func (m *members) start(t *testing.T, instances int) {
	t.Helper()
	for i := range instances {
		m.instances = append(m.instances, startInstance(t, m.group+"-"+strconv.Itoa(i), m.arguments))
	}
	for _, i := range m.instances {
		i.process().ready(t)
	}
}

// evict removes one of the members from the group, as an administrator can.
func (m *members) evict(t *testing.T, pick int) {
	t.Helper()
	groups, err := m.admin.DescribeGroups(t.Context(), m.group)
	if err != nil {
		t.Error(err)
		return
	}
	found := groups[m.group].Members
	slices.SortFunc(found, func(a, b kadm.DescribedGroupMember) int {
		return cmp.Compare(a.ClientID+a.MemberID, b.ClientID+b.MemberID)
	})
	if len(found) == 0 {
		t.Log("nobody to evict")
		return
	}
	one := found[pick%len(found)]
	t.Logf("evicting %s", one.MemberID)
	leaving := kmsg.NewLeaveGroupRequestMember()
	leaving.MemberID, leaving.InstanceID = one.MemberID, one.InstanceID
	request := kmsg.NewPtrLeaveGroupRequest()
	request.Group, request.Members = m.group, []kmsg.LeaveGroupRequestMember{leaving}
	response, err := request.RequestWith(t.Context(), m.client)
	if err == nil {
		err = kerr.ErrorForCode(response.ErrorCode)
	}
	if err != nil {
		t.Logf("it could not be evicted: %v", err)
	}
}
