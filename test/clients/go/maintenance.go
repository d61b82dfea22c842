package main

import (
	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"google.golang.org/grpc/codes"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"
)

var maintenanceChecks = []check{
	{"status", func(t *T) {
		revision := t.put(t.key("a"), "1")
		s, err := t.Status(t, t.endpoint)
		t.must(err)
		t.equal("version", []string{s.Version, s.StorageVersion}, []string{"3.7.3", "3.7.0"})
		t.equal("revision", s.Header.Revision, revision)
		t.equal("leader", s.Leader, s.Header.MemberId)
		t.equal("term", s.RaftTerm, s.Header.RaftTerm)
		t.is("indexes", s.RaftAppliedIndex > 0 && s.RaftAppliedIndex <= s.RaftIndex)
		t.is("sizes", s.DbSizeInUse > 0 && s.DbSizeInUse <= s.DbSize)
		t.equal("quota", s.DbSizeQuota, int64(2<<30))
		t.is("no errors, not a learner", len(s.Errors) == 0 && !s.IsLearner)
		t.is("no downgrade", !s.DowngradeInfo.GetEnabled())
	}},
	{"hashes", func(t *T) {
		revision := t.put(t.key("a"), "1")
		first, err := t.HashKV(t, t.endpoint, 0)
		t.must(err)
		t.equal("revision", first.HashRevision, revision)
		t.put(t.key("a"), "2")
		second, err := t.HashKV(t, t.endpoint, 0)
		t.must(err)
		t.is("the hash changes", first.Hash != second.Hash)
		past, err := t.HashKV(t, t.endpoint, revision)
		t.must(err)
		t.equal("the hash of the past", past.Hash, first.Hash)
		_, err = t.HashKV(t, t.endpoint, revision+1000)
		t.is("none of the future", err != nil)
		whole, err := pb.NewMaintenanceClient(t.connection()).Hash(t, &pb.HashRequest{})
		t.must(err)
		t.is("hash of the whole store", whole.Hash != 0)
	}},
	{"defragment while puts go on", func(t *T) {
		stop, done := make(chan struct{}), make(chan int)
		go func() {
			puts := 0
			for {
				select {
				case <-stop:
					done <- puts
					return
				default:
					if _, err := t.Put(t, t.key("a"), "v"); err == nil {
						puts++
					}
				}
			}
		}()
		for range 3 {
			_, err := t.Defragment(t, t.endpoint)
			t.must(err)
		}
		close(stop)
		t.is("puts were answered", <-done > 0)
	}},
	{"alarms and members", func(t *T) {
		alarms, err := t.AlarmList(t)
		t.must(err)
		t.equal("alarms", len(alarms.Alarms), 0)
		members, err := t.MemberList(t)
		t.must(err)
		t.equal("members", len(members.Members), 1)
		member := members.Members[0]
		t.equal("id", member.ID, members.Header.MemberId)
		t.equal("name", member.Name, "suite")
		t.equal("client addresses", member.ClientURLs, []string{"http://" + t.endpoint})
		t.is("a voter", !member.IsLearner)
		t.must(t.Sync(t))
	}},
	{"health service", func(t *T) {
		health := healthpb.NewHealthClient(t.connection())
		for _, service := range []string{"", "readyz", "livez"} {
			response, err := health.Check(t, &healthpb.HealthCheckRequest{Service: service})
			if service != "" && status.Code(err) == codes.NotFound {
				continue
			}
			t.must(err)
			t.equal("status of "+service, response.Status, healthpb.HealthCheckResponse_SERVING)
		}
	}},
}
