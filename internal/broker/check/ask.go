package check

import (
	"context"
	"errors"
	"math"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// Names and numbers that do not exist, so that an authorized request has no effect.
const (
	noPartition = math.MaxInt32 // exists in no topic
	noMember    = "regionwatch-check"
	noProducer  = math.MaxInt64 // brokers assign IDs from 0 up
)

// mayProduce writes a batch to a partition the topic does not have; brokers check authorization first. A nil error
// means allowed.
func (c *checker) mayProduce(ctx context.Context, topic string) error {
	request := kmsg.NewPtrProduceRequest()
	request.Acks = -1
	request.TimeoutMillis = int32(attemptTimeout.Milliseconds())
	t := kmsg.NewProduceRequestTopic()
	t.Topic = topic
	p := kmsg.NewProduceRequestTopicPartition()
	p.Partition, p.Records = noPartition, []byte{}
	t.Partitions = append(t.Partitions, p)
	request.Topics = append(request.Topics, t)
	response, err := c.askAny(ctx, request)
	if err != nil {
		return err
	}
	for _, t := range response.(*kmsg.ProduceResponse).Topics {
		for _, p := range t.Partitions {
			return unless(kerr.UnknownTopicOrPartition, p.ErrorCode)
		}
	}
	return errNoAnswer
}

// mayFetch fetches from a partition the topics do not have; brokers check authorization first. A nil error means
// allowed.
func (c *checker) mayFetch(ctx context.Context, topics []string) (map[string]error, error) {
	request := kmsg.NewPtrFetchRequest()
	request.MaxBytes = 1
	request.SessionEpoch = -1 // no session
	for _, topic := range topics {
		t := kmsg.NewFetchRequestTopic()
		t.Topic = topic
		p := kmsg.NewFetchRequestTopicPartition()
		p.Partition, p.PartitionMaxBytes = noPartition, 1
		t.Partitions = append(t.Partitions, p)
		request.Topics = append(request.Topics, t)
	}
	response, err := c.askAny(ctx, request)
	if err != nil {
		return nil, err
	}
	errs := make(map[string]error, len(topics))
	for _, topic := range topics {
		errs[topic] = errNoAnswer
	}
	for _, t := range response.(*kmsg.FetchResponse).Topics {
		for _, p := range t.Partitions {
			errs[t.Topic] = unless(kerr.UnknownTopicOrPartition, p.ErrorCode)
		}
	}
	return errs, nil
}

// coordinated asks a coordinator until it answers. On a cluster that never had a group or a transaction, brokers make the
// topic for them first.
func coordinated(ctx context.Context, ask func() error) error {
	for {
		err := ask()
		if !errors.Is(err, kerr.CoordinatorNotAvailable) && !errors.Is(err, kerr.NotCoordinator) && !errors.Is(err, kerr.CoordinatorLoadInProgress) {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(coordinatorPause):
		}
	}
}

const coordinatorPause = 250 * time.Millisecond

// mayJoin joins the group as a member it does not have. Before they look up the member, brokers check authorization,
// the session timeout, and that the group's members use the same balancer.
func (c *checker) mayJoin(ctx context.Context) error {
	request := kmsg.NewPtrJoinGroupRequest()
	request.Group = c.o.Group
	request.SessionTimeoutMillis = int32(c.o.SessionTimeout.Milliseconds())
	request.RebalanceTimeoutMillis = int32(c.o.RebalanceTimeout.Milliseconds())
	request.MemberID = noMember
	request.ProtocolType = "consumer"
	protocol := kmsg.NewJoinGroupRequestProtocol()
	protocol.Name = "cooperative-sticky"
	subscription := kmsg.NewConsumerMemberMetadata()
	subscription.Topics = c.o.named()
	protocol.Metadata = subscription.AppendTo(nil)
	request.Protocols = append(request.Protocols, protocol)
	response, err := request.RequestWith(ctx, c.client)
	if err != nil {
		return err
	}
	return unless(kerr.UnknownMemberID, response.ErrorCode)
}

// mayTransact aborts a transaction of a producer ID that was never assigned. Brokers authorize the transactional ID
// first. Initializing the ID, as the processor does, would fence a running instance.
func (c *checker) mayTransact(ctx context.Context, id string) error {
	request := kmsg.NewPtrEndTxnRequest()
	request.TransactionalID, request.ProducerID = id, noProducer
	response, err := request.RequestWith(ctx, c.client)
	if err != nil {
		return err
	}
	return unless(kerr.InvalidProducerIDMapping, response.ErrorCode)
}

// mayProduceOnce requests a producer ID. Brokers have 2^63 of them.
func (c *checker) mayProduceOnce(ctx context.Context) error {
	request := kmsg.NewPtrInitProducerIDRequest()
	response, err := request.RequestWith(ctx, c.client)
	if err != nil {
		return err
	}
	return kerr.ErrorForCode(response.ErrorCode)
}

// askAny sends the request to any broker. The client would look for the leader of the partition, which does not exist.
func (c *checker) askAny(ctx context.Context, request kmsg.Request) (kmsg.Response, error) {
	var errs []error
	for _, b := range c.metadata.Brokers {
		response, err := c.client.Broker(int(b.NodeID)).RetriableRequest(ctx, request)
		if err == nil {
			return response, nil
		}
		errs = append(errs, err)
	}
	return nil, errors.Join(errs...)
}

var errNoAnswer = errors.New("the broker's answer is incomplete")

// unless returns the error of a code, or nil for the error that means allowed.
func unless(allowed error, code int16) error {
	err := kerr.ErrorForCode(code)
	if errors.Is(err, allowed) {
		return nil
	}
	return err
}
