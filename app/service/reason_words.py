"""The words of reasons: for each state of a task a headline, a detail and an advice, in two languages.

Keys are looked up from the special to the general (`failed.worker_lost`, then `failed`). Fields in
braces are made by `reason.py`. An empty advice means that there is nothing to do.
"""

# ruff: noqa: E501 - one sentence, one line: the table reads as a table

from typing import Final, TypeAlias

#: Headline, detail, advice.
Sentences: TypeAlias = tuple[str, str, str]

EN: Final[dict[str, Sentences]] = {
    "pending.queued": (
        "Waiting for its turn.",
        "Number {position} in the queue; it has waited {waited}.",
        "",
    ),
    "pending.no_worker": (
        "Waiting for a worker.",
        "No worker is running, so nothing can begin. It has waited {waited}.",
        "Start a worker: run `voxtrace worker` (or `voxtrace up`).",
    ),
    "pending.backoff": (
        "Waiting to try again.",
        "Try {tries_used} of {max_attempts} failed: {error}. The next one begins in {delay}.",
        "",
    ),
    "pending.capacity": (
        "Waiting for room at the engine.",
        "{engine} has no free capacity for now. It is asked again in {delay}; this costs no try.",
        "",
    ),
    "pending.rescued": (
        "Rescued, waiting for a worker.",
        "The worker that ran it was lost. {done} of {total} segments are kept, and it goes on from there.",
        "",
    ),
    "pending.handed_back": (
        "Handed back, waiting for a worker.",
        "Its worker stopped in good order. {done} of {total} segments are kept, and it goes on from there.",
        "",
    ),
    "processing.start": ("Starting.", "{worker} has taken it {ran} ago.", ""),
    "processing.split": ("Splitting the text.", "On {worker} for {ran}; the limit is {limit}.", ""),
    "processing.speak": (
        "Speaking, {done} of {total} segments done.",
        "On {worker} for {ran}; the limit is {limit}.",
        "",
    ),
    "processing.encode": (
        "Joining and encoding the audio.",
        "All {total} segments are done. On {worker} for {ran}; the limit is {limit}.",
        "",
    ),
    "processing.store": ("Storing the audio.", "On {worker} for {ran}; the limit is {limit}.", ""),
    "processing.late": (
        "Past its limit, being stopped.",
        "It has run for {ran}; the limit is {limit}. {worker} ends it now.",
        "",
    ),
    "processing.lost": (
        "Its worker is gone.",
        "{worker} gives no sign of life. The task is taken from it and goes on with another worker; {done} of {total} segments are kept.",
        "",
    ),
    "completed": ("Completed in {took}.", "It waited {waited} and was worked on for {ran}.", ""),
    "completed.rescued": (
        "Completed in {took}, after {lost}.",
        "A worker was lost on the way. What it had finished was kept and not made again.",
        "",
    ),
    "completed.retried": (
        "Completed in {took}, at try {tries}.",
        "Earlier tries failed; what they had finished was kept.",
        "",
    ),
    "completed.timed_out": (
        "Completed in {took}, past its limit of {limit}.",
        "The result was there before the task could be stopped, so it counts.",
        "",
    ),
    "failed": (
        "Failed: {error}.",
        "It ended after {took}. {done} of {total} segments are kept.",
        "Retry: it goes on from what is kept. If it fails again, the message under Attempts says where to look.",
    ),
    "failed.worker_lost": (
        "Failed: its workers died, {lost} in a row.",
        "Whatever ran this task ended without a word. {done} of {total} segments are kept.",
        "The text may be what kills them. Look at the attempts and at the machine's memory before a retry.",
    ),
    "failed.queue_expired": (
        "Failed: it waited too long.",
        "No worker could take it within its time; it waited {waited}.",
        "See that workers run, then retry.",
    ),
    "failed.out_of_memory": (
        "Failed: out of memory.",
        "The attempt wanted more memory than there was. {done} of {total} segments are kept.",
        "Give the worker more memory or fewer children, then retry.",
    ),
    "failed.internal": (
        "Failed: an error inside voxtrace.",
        "This is a fault of the program. {done} of {total} segments are kept.",
        "Retry; if it fails again, send the reference of this task with a report.",
    ),
    "failed.engine_missing": (
        "Failed: the engine is not installed.",
        "The worker that took it has no engine called {engine}.",
        "Name it in VOXTRACE_ENGINES on every worker, then retry.",
    ),
    "failed.unreadable_script": (
        "Failed: the voice cannot read this script.",
        "The engine knows the signs by name only.",
        "Write the text in a script that it reads, or choose another engine.",
    ),
    "failed.engine_rejected": (
        "Failed: the engine refuses this request.",
        "{engine} said no; trying again cannot help.",
        "Choose another voice or engine.",
    ),
    "failed.engine_unavailable": (
        "Failed: the engine cannot be reached.",
        "{engine} did not answer at any of {tries} tries. {done} of {total} segments are kept.",
        "See whether the engine works (System, engines), then retry.",
    ),
    "failed.engine_crashed": (
        "Failed: the engine crashed.",
        "{engine} ended itself at each of {tries} tries. {done} of {total} segments are kept.",
        "Retry, or choose another engine.",
    ),
    "failed.engine_timeout": (
        "Failed: the engine gave no answer in time.",
        "{engine} was silent at each of {tries} tries. {done} of {total} segments are kept.",
        "Retry later.",
    ),
    "failed.text_missing": (
        "Failed: its text is gone.",
        "The text was removed while the task waited.",
        "",
    ),
    "failed.storage_error": (
        "Failed: the audio could not be stored.",
        "{done} of {total} segments are kept.",
        "See that the disk has room and can be written, then retry.",
    ),
    "failed.database_busy": (
        "Failed: the database did not answer.",
        "{done} of {total} segments are kept.",
        "Retry.",
    ),
    "failed.audio": (
        "Failed: the audio did not pass its check.",
        "The engine made sound that cannot be right ({error}), at each of {tries} tries.",
        "Listen to the segment that was refused, or choose another voice.",
    ),
    "timeout": (
        "Stopped at its limit of {limit}.",
        "It ran for {attempt_ran}. {done} of {total} segments are kept.",
        "Retry: it goes on from what is kept. A longer limit can be set at the upload.",
    ),
    "text.cancelled": (
        "Cancelled.",
        "Its request was taken back; the task is kept for others that want it.",
        "Retry brings it back.",
    ),
    "text.audio_gone": (
        "The audio is gone.",
        "It was spoken, but its file is missing or corrupt.",
        "Retry makes it again.",
    ),
    "cancelled": (
        "Cancelled after {took}.",
        "{done} of {total} segments are kept.",
        "Retry brings it back.",
    ),
}

ZH: Final[dict[str, Sentences]] = {
    "pending.queued": ("排队等待中。", "排在第 {position} 位，已等待 {waited}。", ""),
    "pending.no_worker": (
        "等待合成进程。",
        "没有合成进程在运行，任务无法开始。已等待 {waited}。",
        "启动合成进程：运行 `voxtrace worker`（或 `voxtrace up`）。",
    ),
    "pending.backoff": (
        "等待重试。",
        "第 {tries_used} 次尝试失败（共 {max_attempts} 次）：{error}。{delay}后再试。",
        "",
    ),
    "pending.capacity": (
        "等待引擎空闲。",
        "{engine} 暂无余量，{delay}后再问；不计入尝试次数。",
        "",
    ),
    "pending.rescued": (
        "已救回，等待合成进程。",
        "原来的合成进程失联。已保留 {done} / {total} 段，从断点继续。",
        "",
    ),
    "pending.handed_back": (
        "已交还，等待合成进程。",
        "合成进程正常停止。已保留 {done} / {total} 段，从断点继续。",
        "",
    ),
    "processing.start": ("正在开始。", "{worker} 在 {ran}前接手。", ""),
    "processing.split": ("正在分段。", "由 {worker} 处理，已用 {ran}；时限 {limit}。", ""),
    "processing.speak": (
        "正在合成，已完成 {done} / {total} 段。",
        "由 {worker} 处理，已用 {ran}；时限 {limit}。",
        "",
    ),
    "processing.encode": (
        "正在拼接与编码。",
        "{total} 段均已完成。由 {worker} 处理，已用 {ran}；时限 {limit}。",
        "",
    ),
    "processing.store": ("正在保存音频。", "由 {worker} 处理，已用 {ran}；时限 {limit}。", ""),
    "processing.late": (
        "已超过时限，正在停止。",
        "已运行 {ran}，时限 {limit}。{worker} 正在结束它。",
        "",
    ),
    "processing.lost": (
        "合成进程失联。",
        "{worker} 没有响应。任务将转给其他合成进程；已保留 {done} / {total} 段。",
        "",
    ),
    "completed": ("已完成，用时 {took}。", "等待 {waited}，合成 {ran}。", ""),
    "completed.rescued": (
        "已完成，用时 {took}，中途救回 {lost}。",
        "途中有合成进程失联；已完成的部分全部保留，没有重做。",
        "",
    ),
    "completed.retried": (
        "第 {tries} 次尝试后完成，用时 {took}。",
        "之前的尝试失败；已完成的部分全部保留。",
        "",
    ),
    "completed.timed_out": (
        "已完成，用时 {took}，超过时限 {limit}。",
        "结果在停止之前已经产生，因此有效。",
        "",
    ),
    "failed": (
        "失败：{error}。",
        "共用时 {took}。已保留 {done} / {total} 段。",
        "重试会从保留的部分继续。若再次失败，请看“尝试”中的信息。",
    ),
    "failed.worker_lost": (
        "失败：合成进程连续 {lost}异常退出。",
        "每次运行都意外中止。已保留 {done} / {total} 段。",
        "可能与文本本身有关。重试前先看各次尝试和机器内存。",
    ),
    "failed.queue_expired": (
        "失败：等待过久。",
        "规定时间内没有合成进程接手，共等待 {waited}。",
        "确认合成进程在运行，然后重试。",
    ),
    "failed.out_of_memory": (
        "失败：内存不足。",
        "所需内存超出可用内存。已保留 {done} / {total} 段。",
        "增加内存或减少并发，然后重试。",
    ),
    "failed.internal": (
        "失败：程序内部错误。",
        "这是程序的缺陷。已保留 {done} / {total} 段。",
        "请重试；若再次失败，请附上任务编号反馈。",
    ),
    "failed.engine_missing": (
        "失败：引擎未安装。",
        "接手的合成进程上没有引擎 {engine}。",
        "在每个合成进程的 VOXTRACE_ENGINES 中写上它，然后重试。",
    ),
    "failed.unreadable_script": (
        "失败：这个音色读不了这种文字。",
        "引擎只会念出字的名称。",
        "请改用它能读的文字，或换一个引擎。",
    ),
    "failed.engine_rejected": (
        "失败：引擎拒绝了请求。",
        "{engine} 不接受这个请求，重试也不会成功。",
        "换一个声音或引擎。",
    ),
    "failed.engine_unavailable": (
        "失败：无法连接引擎。",
        "{tries} 次尝试中 {engine} 都没有响应。已保留 {done} / {total} 段。",
        "先确认引擎可用，然后重试。",
    ),
    "failed.engine_crashed": (
        "失败：引擎崩溃。",
        "{tries} 次尝试中 {engine} 都自行退出。已保留 {done} / {total} 段。",
        "重试，或换一个引擎。",
    ),
    "failed.engine_timeout": (
        "失败：引擎没有按时响应。",
        "{tries} 次尝试中 {engine} 都没有回音。已保留 {done} / {total} 段。",
        "稍后重试。",
    ),
    "failed.text_missing": ("失败：文本已不存在。", "等待期间文本被移除。", ""),
    "failed.storage_error": (
        "失败：音频无法保存。",
        "已保留 {done} / {total} 段。",
        "确认磁盘可写且有空间，然后重试。",
    ),
    "failed.database_busy": ("失败：数据库没有响应。", "已保留 {done} / {total} 段。", "请重试。"),
    "failed.audio": (
        "失败：音频未通过检查。",
        "{tries} 次尝试生成的声音都不正常（{error}）。",
        "听一听被拒绝的段落，或换一个声音。",
    ),
    "timeout": (
        "到达时限 {limit}，已停止。",
        "运行了 {attempt_ran}。已保留 {done} / {total} 段。",
        "重试会从保留的部分继续；上传时可以设更长的时限。",
    ),
    "text.cancelled": ("已取消。", "请求已撤回；任务为其他请求保留。", "重试即可恢复。"),
    "text.audio_gone": ("音频已不存在。", "曾经合成，但文件丢失或损坏。", "重试会重新合成。"),
    "cancelled": ("已取消，历时 {took}。", "已保留 {done} / {total} 段。", "重试即可恢复。"),
}

#: What an `error_type` is called inside a sentence; one that is not here stands for itself.
ERRORS_EN: Final[dict[str, str]] = {
    "engine_error": "the engine reported an error",
    "engine_unavailable": "the engine cannot be reached",
    "engine_timeout": "the engine gave no answer in time",
    "engine_crashed": "the engine crashed",
    "engine_rejected": "the engine refused the request",
    "unreadable_script": "the voice cannot read this script",
    "engine_capacity": "the engine has no room",
    "worker_lost": "its worker was lost",
    "out_of_memory": "out of memory",
    "internal": "an error inside voxtrace",
    "storage_error": "the audio could not be stored",
    "segment_missing": "a finished segment was gone",
    "database_busy": "the database was busy",
    "deadline_exceeded": "the limit passed",
    "audio_invalid": "the audio is not right",
    "audio_truncated": "the audio is too short for its text",
    "audio_too_long": "the audio is too long for its text",
    "audio_silent": "the audio is silent",
    "audio_clipped": "the audio is clipped",
    "audio_undecodable": "the audio cannot be decoded",
}
ERRORS_ZH: Final[dict[str, str]] = {
    "engine_error": "引擎报错",
    "engine_unavailable": "无法连接引擎",
    "engine_timeout": "引擎没有按时响应",
    "engine_crashed": "引擎崩溃",
    "engine_rejected": "引擎拒绝了请求",
    "unreadable_script": "音色读不了这种文字",
    "engine_capacity": "引擎没有余量",
    "worker_lost": "合成进程失联",
    "out_of_memory": "内存不足",
    "internal": "程序内部错误",
    "storage_error": "音频无法保存",
    "segment_missing": "已完成的段落丢失",
    "database_busy": "数据库繁忙",
    "deadline_exceeded": "超过时限",
    "audio_invalid": "音频不正常",
    "audio_truncated": "音频短于文本",
    "audio_too_long": "音频长于文本",
    "audio_silent": "音频无声",
    "audio_clipped": "音频削波",
    "audio_undecodable": "音频无法解码",
}
