// The user behind a simulated client: what they submit and what else comes to their mind.
#include <algorithm>
#include <utility>

#include "tests/simulation/client_node.h"

namespace millrace::simulation {
namespace {

// Longer than any clock jumps.
constexpr Duration kRetention = Duration::days(3'650);

std::uint64_t hash_of(std::string_view text) {
  std::uint64_t hash = 0xcbf29ce484222325U;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3U;
  return hash;
}

void set_content(TaskSpec& spec, const std::string& text) {
  spec.bytes = SharedBytes::copy_of(text);
  spec.payload_bytes = ByteCount(text.size());
  spec.content_hash = hash_of(text);
}

}  // namespace

void ClientNode::begin(Time end) {
  acts_until_ = end;
  submit_some();
  world_.after(world_.pick(Duration(), Duration::seconds(1)), [this] { act(); });
}

// ---- submitting ---------------------------------------------------------------------------------

void ClientNode::submit_some() {
  if (to_submit_ == 0) return;
  const std::uint32_t pieces = std::max(setup_.tasks / 4, 1U);
  if (session_.has_value()) {
    const std::uint32_t count = std::min(to_submit_, 1 + world_.index(8));
    to_submit_ -= count;
    std::vector<TaskSpec> specs;
    for (std::uint32_t i = 0; i < count; ++i) {
      specs.push_back(draw_spec());
      mine_.push_back(Mine{specs.back()});
      world_.note(Happening::client_submits, setup_.number,
                  oracle_.readings().submits(specs.back()).number);
    }
    submit(specs, world_.chance(700));
  }
  world_.after(world_.pick(Duration(), plan_.submit_phase * 2 / pieces), [this] { submit_some(); });
}

void ClientNode::submit(const std::vector<TaskSpec>& specs, bool watch) {
  const bool gives_up = !settling_ && world_.chance(plan_.gives_up);
  const Time give_up = gives_up ? clock_.now() + Duration::seconds(2) : Time::never();
  std::vector<client::Submission> submissions;
  for (const TaskSpec& spec : specs) {
    last_group_ = last_group_.next();
    sent_[last_group_] = Sent{spec.id, spec.content_hash};
    submissions.push_back(client::Submission{spec, last_group_, give_up});
  }
  input([submissions, watch](client::Session& session, Time now, client::Actions& actions) {
    session.submit(submissions, watch, now, actions);
  });
}

TaskSpec ClientNode::draw_spec() {
  TaskSpec spec;
  spec.id = make_task_id(world_.now(), world_.random());
  spec.queue = setup_.queues[world_.index(setup_.queues.size())];
  if (!plan_.one_priority) spec.priority = static_cast<std::uint8_t>(world_.index(kPriorities));
  spec.max_attempts = static_cast<std::uint16_t>(1 + world_.index(4));
  spec.retention = kRetention;
  spec.backoff.initial = world_.pick(Duration(), Duration::seconds(2));
  spec.backoff.max = Duration::seconds(5);
  draw_times(spec);
  set_content(spec, "payload of " + to_text(spec.id));
  return spec;
}

void ClientNode::draw_times(TaskSpec& spec) {
  spec.timeout = world_.chance(plan_.short_timeout)
                     ? world_.pick(Duration::milliseconds(200), Duration::seconds(3))
                     : world_.pick(Duration::seconds(10), Duration::seconds(30));
  if (world_.chance(plan_.delayed)) {
    if (world_.chance(500)) {
      spec.delay = world_.pick(Duration::milliseconds(1), Duration::seconds(15));
    } else {
      spec.not_before = world_.now() + world_.pick(Duration(), Duration::seconds(15));
    }
  }
  if (world_.chance(plan_.with_ttl)) {
    spec.ttl = world_.pick(Duration::milliseconds(10), Duration::seconds(10));
  }
}

void ClientNode::resubmit() {
  if (mine_.empty()) return;
  const Mine& mine = mine_[world_.index(mine_.size())];
  world_.note(Happening::client_resubmits, setup_.number,
              oracle_.readings().submits(mine.spec).number);
  submit({mine.spec}, world_.chance(500));
}

void ClientNode::submit_other_content() {
  if (mine_.empty()) return;
  TaskSpec spec = mine_[world_.index(mine_.size())].spec;
  set_content(spec, "another payload of " + to_text(spec.id));
  world_.note(Happening::client_submits_other_content, setup_.number,
              oracle_.readings().submits(spec).number);
  submit({spec}, false);
}

// ---- all else -----------------------------------------------------------------------------------

void ClientNode::act() {
  if (world_.now() >= acts_until_) return;
  if (session_.has_value()) {
    if (world_.chance(plan_.resubmits)) resubmit();
    if (world_.chance(plan_.other_content)) submit_other_content();
    if (world_.chance(plan_.cancels)) cancel_one();
    if (world_.chance(plan_.asks)) ask();
    if (world_.chance(plan_.requeues)) requeue();
    if (world_.chance(plan_.purges_dead)) purge_dead();
    if (world_.chance(plan_.lists)) list();
    if (world_.chance(plan_.queue_controls)) control_queue();
    if (world_.chance(plan_.drains_workers)) drain_worker();
  }
  world_.after(world_.pick(Duration::milliseconds(50), Duration::milliseconds(800)),
               [this] { act(); });
}

TaskFacts* ClientNode::some_accepted() {
  std::deque<TaskFacts>& all = oracle_.tasks().all();
  if (all.empty()) return nullptr;
  TaskFacts& facts = all[world_.index(all.size())];
  return facts.accepted_hash.has_value() ? &facts : nullptr;
}

void ClientNode::request(ClientMessage message, Asked asked, bool for_ever) {
  const Time give_up = for_ever ? Time::never() : clock_.now() + Duration::seconds(10);
  input([this, message = std::move(message), asked = std::move(asked), give_up](
            client::Session& session, Time now, client::Actions& actions) {
    asked_[session.request(message, give_up, now, actions)] = asked;
  });
}

void ClientNode::cancel_one() {
  TaskFacts* facts = some_accepted();
  if (facts == nullptr) return;
  world_.note(Happening::client_cancels, setup_.number, facts->number);
  oracle_.readings().cancels(facts->id);
  Cancel cancel;
  cancel.tasks = {facts->id};
  request(cancel, Asked{cancel.tasks}, world_.chance(500));
}

void ClientNode::ask() {
  TaskFacts* facts = some_accepted();
  if (facts == nullptr) return;
  world_.note(Happening::client_asks, setup_.number, facts->number);
  GetTasks get;
  get.tasks = {facts->id};
  get.with_result = world_.chance(500);
  get.with_attempts = world_.chance(500);
  if (world_.chance(300)) request(Explain{RequestId(), facts->id}, Asked{}, false);
  request(get, Asked{get.tasks, get.with_result}, false);
}

void ClientNode::requeue() {
  for (TaskFacts& facts : oracle_.tasks().all()) {
    const bool is_dead = facts.read.has_value() && facts.read->state == TaskState::dead;
    if (!is_dead) continue;
    world_.note(Happening::client_requeues, setup_.number, facts.number);
    oracle_.readings().requeues(facts.id);
    RequeueDead requeue;
    requeue.tasks = {facts.id};
    return request(requeue, Asked{}, false);
  }
}

void ClientNode::purge_dead() {
  for (TaskFacts& facts : oracle_.tasks().all()) {
    const bool is_dead = facts.read.has_value() && facts.read->state == TaskState::dead;
    if (!is_dead || facts.purge_asked) continue;
    world_.note(Happening::client_purges_dead, setup_.number, facts.number);
    oracle_.readings().purges_dead(facts.id);
    PurgeDead purge;
    purge.tasks = {facts.id};
    return request(purge, Asked{}, false);
  }
}

void ClientNode::list() {
  const std::uint32_t queue = world_.index(setup_.queues.size());
  world_.note(Happening::client_lists, setup_.number, 0, queue);
  ListTasks list;
  list.filter.queue = setup_.queues[queue];
  list.filter.state = static_cast<TaskState>(world_.index(kTaskStates));
  list.limit = 1 + world_.index(100);
  request(list, Asked{}, false);
}

void ClientNode::control_queue() {
  const std::uint32_t queue = world_.index(setup_.queues.size());
  ControlQueue control;
  control.queue = setup_.queues[queue];
  const std::uint32_t choice = world_.index(5);
  if (choice == 0) {
    control.action = QueueAction::purge;
    oracle_.readings().purges_queue(control.queue);
    world_.note(Happening::client_purges_queue, setup_.number, 0, queue);
    if (world_.chance(500)) return purge_by_filter(control.queue);
  } else if (choice < 3) {
    control.action = QueueAction::pause;
    world_.note(Happening::client_pauses_queue, setup_.number, 0, queue);
  } else {
    control.action = QueueAction::resume;
    world_.note(Happening::client_resumes_queue, setup_.number, 0, queue);
  }
  request(control, Asked{}, false);
}

// As `millrace queue purge` does it, all at once.
void ClientNode::purge_by_filter(const std::string& queue) {
  for (const TaskState state : {TaskState::delayed, TaskState::pending}) {
    ChangeTasks change;
    change.filter.queue = queue;
    change.filter.state = state;
    request(change, Asked{}, false);
  }
}

void ClientNode::drain_worker() {
  const std::uint32_t worker = world_.index(setup_.workers.size());
  world_.note(Happening::client_drains_worker, setup_.number, 0, worker + 1);
  DrainWorker drain;
  drain.worker = setup_.workers[worker];
  request(drain, Asked{}, false);
}

void ClientNode::settle() {
  if (!settling_) {
    settling_ = true;
    std::vector<TaskId> to_await;
    for (const Mine& mine : mine_) {
      if (mine.acknowledged && !mine.ended) to_await.push_back(mine.spec.id);
    }
    input([to_await](client::Session& session, Time now, client::Actions& actions) {
      session.watch(to_await, now, actions);
    });
  }
  resume_queues();
}

void ClientNode::resume_queues() {
  for (const std::string& queue : setup_.queues) {
    ControlQueue resume;
    resume.queue = queue;
    resume.action = QueueAction::resume;
    request(resume, Asked{}, true);
  }
}

}  // namespace millrace::simulation
