package check

import (
	"context"
	"errors"
	"math"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// What nobody has, so that a request which the broker lets through finds nothing to act on.
const (
	noPartition = math.MaxInt32 // of no topic
	noMember    = "regionwatch-check"
	noProducer  = math.MaxInt64 // brokers give ids from 0 on
)

// mayProduce asks for a record batch to be written to a partition that the topic does not have: brokers look whether
// we may write to the topic first. nil means that we may.
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

// mayFetch asks for records of a partition that the topics do not have: brokers look whether we may read the topic
// first. A topic without an error is one that we may read.
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

// mayJoin asks to join the group as a member that it does not have. Before they look for the member, brokers look
// whether we may, whether the session's timeout is one that they allow, and whether the members that are there
// assign partitions in the same way.
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
	subscription.Topics = c.o.InputTopics
	protocol.Metadata = subscription.AppendTo(nil)
	request.Protocols = append(request.Protocols, protocol)
	response, err := request.RequestWith(ctx, c.client)
	if err != nil {
		return err
	}
	return unless(kerr.UnknownMemberID, response.ErrorCode)
}

// mayTransact asks to abort the transaction of a producer that has never been, by that transactional id. Brokers look
// whether we may use the id first. To take the id, as the processor does, would fence an instance that runs.
func (c *checker) mayTransact(ctx context.Context, id string) error {
	request := kmsg.NewPtrEndTxnRequest()
	request.TransactionalID, request.ProducerID = id, noProducer
	response, err := request.RequestWith(ctx, c.client)
	if err != nil {
		return err
	}
	return unless(kerr.InvalidProducerIDMapping, response.ErrorCode)
}

// mayProduceOnce asks for a producer's id, of which brokers have 2^63.
func (c *checker) mayProduceOnce(ctx context.Context) error {
	request := kmsg.NewPtrInitProducerIDRequest()
	response, err := request.RequestWith(ctx, c.client)
	if err != nil {
		return err
	}
	return kerr.ErrorForCode(response.ErrorCode)
}

// askAny asks some broker, where the client would look for the leader of a partition that does not exist.
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

var errNoAnswer = errors.New("the broker's answer lacks what was asked for")

// unless returns the error of a code, or nil where it is the one that tells that we may.
func unless(allowed error, code int16) error {
	err := kerr.ErrorForCode(code)
	if errors.Is(err, allowed) {
		return nil
	}
	return err
}
