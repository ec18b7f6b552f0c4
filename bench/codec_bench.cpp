// What a task costs on the wire: encoding, verifying and reading batches.
#include <benchmark/benchmark.h>

#include "common/wire/control_codec.h"
#include "common/wire/task_codec.h"

namespace {

using namespace millrace;

Submit make_submit(std::size_t count) {
  Random random(3);
  Submit submit;
  submit.request = RequestId(1);
  for (std::size_t i = 0; i < count; ++i) {
    wire::TaskDescription task;
    task.id = make_random_id<TaskId>(random);
    task.queue = "demo";
    task.payload = SharedBytes::copy_of(std::string(100, 'x'));
    submit.tasks.push_back({wire::encode_task(task), std::nullopt});
  }
  return submit;
}

void encode_submit(benchmark::State& state) {
  const ClientMessage message = make_submit(static_cast<std::size_t>(state.range(0)));
  for (auto _ : state) benchmark::DoNotOptimize(wire::encode(message));
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(encode_submit)->Arg(1)->Arg(100)->Arg(1'000);

void decode_submit(benchmark::State& state) {
  const wire::Frames frames =
      wire::encode(ClientMessage(make_submit(static_cast<std::size_t>(state.range(0)))));
  const PeerLimits limits;
  for (auto _ : state) benchmark::DoNotOptimize(wire::decode_client_message(frames, limits));
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(decode_submit)->Arg(1)->Arg(100)->Arg(1'000);

void encode_task_spec(benchmark::State& state) {
  Random random(3);
  wire::TaskDescription task;
  task.id = make_random_id<TaskId>(random);
  task.queue = "demo";
  task.payload = SharedBytes::copy_of(std::string(100, 'x'));
  for (auto _ : state) benchmark::DoNotOptimize(wire::encode_task(task));
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(encode_task_spec);

}  // namespace
